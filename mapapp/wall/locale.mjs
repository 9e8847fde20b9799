// Numbers, days and times as the reader's language writes them, in the city's zone.
const said = JSON.parse(document.getElementById("said").textContent);
const locale = said.lang === "zh" ? "zh-CN" : "en-GB";

function moments(parts, timeZone = said.zone) {
  const written = new Intl.DateTimeFormat(locale, { timeZone, hourCycle: "h23", ...parts });
  return (at) => written.format(at);
}

const minutes = { hour: "2-digit", minute: "2-digit" };
const seconds = { ...minutes, second: "2-digit" };
const days = { month: "short", day: "numeric" };

export const number = new Intl.NumberFormat(locale).format;
export const share = new Intl.NumberFormat(locale, { style: "percent" }).format;
export const time = moments(minutes);
export const second = moments(seconds);
export const clock = moments({ ...days, weekday: "short", ...seconds });

// The beginning of an hour or a day as the city's clocks show it comes without a zone.
const marks = { hours: moments(said.lang === "zh" ? { hour: "2-digit" } : minutes, "UTC"), days: moments(days, "UTC") };
export const mark = (unit, at) => marks[unit](new Date(`${at}Z`));
