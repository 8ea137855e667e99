// Numbers, durations and sizes as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minuteClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const NONE = "–";

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

export const count = (value) => (isNumber(value) ? whole.format(value) : NONE);

export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

export const percent = (value) => (isNumber(value) ? `${Math.round(value)} %` : NONE);

// Rounded down: 99.6 % is not all. The little that is added makes up for what 100 * 0.29 lacks to 29.
export const share = (value) => (isNumber(value) ? percent(Math.floor(100 * value + 1e-9)) : NONE);

export const timeOf = (milliseconds) => (isNumber(milliseconds) ? clock.format(milliseconds) : NONE);

export const minuteOf = (milliseconds) => minuteClock.format(milliseconds);

export function duration(seconds) {
  if (!isNumber(seconds)) return NONE;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function bytes(value) {
  if (!isNumber(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function rate(perSecond) {
  if (!isNumber(perSecond)) return NONE;
  return perSecond < 10 ? perSecond.toFixed(1) : whole.format(perSecond);
}
