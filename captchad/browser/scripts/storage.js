// Returns the local storage of `origin`: how many values it has, how long they are in all with their names, and the entries
// themselves, each a name and its value, unless they are more than a session may have. null in a frame of another origin.
if (location.origin !== origin) return null;
// By number: the storage's own entries can hide names like "length".
const names = Array.from({ length: Object.getOwnPropertyDescriptor(Storage.prototype, "length").get.call(localStorage) }, (_, at) => Storage.prototype.key.call(localStorage, at));
const entries = names.map((name) => [name, Storage.prototype.getItem.call(localStorage, name)]);
const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
return { values: names.length, length, entries: names.length > STORED_VALUES_LIMIT || length > SESSION_LENGTH ? [] : entries };
