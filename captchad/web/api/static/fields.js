// What the OpenAPI document says of the fields of bodies and answers, as a list to read.

let components = {};
// The bodies and answers whose fields have been listed already, by their reference.
const listed = new Set();

// A reference is `#/components/KIND/NAME`.
function resolve(thing) {
  const [, , kind, name] = thing?.$ref?.split("/") ?? [];
  return (name ? components[kind][name] : thing) ?? {};
}

function typeOf(schema) {
  if (schema.$ref) return typeOf(resolve(schema));
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const low = schema.minimum ?? schema.minLength;
  const high = schema.maximum ?? schema.maxLength;
  const bounds = low === undefined && high === undefined ? "" : ` (${low ?? ""}…${high ?? ""})`;
  return schema.type === "array" ? `array of ${typeOf(schema.items ?? {})}` : (schema.type ?? "any") + bounds;
}

function entry(name, kind, meaning) {
  const term = make("dt", {}, make("code", { textContent: name }));
  if (kind) term.append(make("small", { textContent: kind }));
  return [term, make("dd", {}, ...prose(meaning))];
}

// The schema whose members a field shows, and how they are named: of what may also be null, of a list, of a map.
function insideOf(field) {
  const option = field.anyOf?.find((one) => one.$ref);
  if (option) return [option, "."];
  if (field.type === "array") return [field.items, "[]."];
  return field.additionalProperties?.$ref ? [field.additionalProperties, ".NAME."] : [field, "."];
}

function fieldEntries(schema, isSent, prefix = "") {
  const { properties = {}, required = [] } = resolve(schema);
  return Object.entries(properties).flatMap(([name, field]) => {
    const kinds = [typeOf(field)];
    if (required.includes(name) === isSent) kinds.push(isSent ? "required" : "may be absent");
    if (field.default !== undefined) kinds.push(`default ${JSON.stringify(field.default)}`);
    const own = entry(prefix + name, kinds.join(", "), field.description ?? resolve(field).description);
    const [inner, mark] = insideOf(field);
    if (listed.has(inner.$ref)) return own;
    return [...own, ...fieldEntries(inner, isSent, prefix + name + mark)];
  });
}

// The fields of a body or an answer; those that have been listed are not listed again inside of others.
function foldedFields(title, schema, isSent = false) {
  const fields = folded(title, fieldEntries(schema, isSent));
  listed.add(schema.$ref);
  return fields;
}

const folded = (title, entries) => make("details", {}, make("summary", { textContent: title }), make("dl", {}, ...entries));
