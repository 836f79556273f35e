import { atLocalTime, requireDay, Unreadable, type FileDue } from './file-task.ts';

/** Todoist's own codes for languages. */
const languages: Readonly<Record<string, string[]>> = {
  '': ['en', 'en-GB'],
  en: ['en', 'en-GB'],
  tw: ['zh-TW'],
  no: ['nb'],
};

const wordOf = (name: string): string => name.normalize('NFC').toLowerCase().replace(/\.$/, '');

/** The numbers of months by their long and short names in a language, alone and beside a day. */
function nameMonths(language: string): Map<string, number> {
  const months = new Map<string, number>();
  for (const style of ['long', 'short'] as const) {
    for (const options of [{ month: style }, { month: style, day: 'numeric' }] as const) {
      const format = new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC', calendar: 'gregory' });
      for (let month = 1; month <= 12; month += 1) {
        const name =
          format.formatToParts(Date.UTC(2026, month - 1, 5)).find(({ type }) => type === 'month')?.value ?? '';
        months.set(wordOf(name), month);
      }
    }
  }
  return months;
}

const known = new Map<string, Map<string, number>>();

function monthsOf(language: string): Map<string, number> {
  const found = known.get(language);
  if (found !== undefined) return found;
  const wanted = languages[language] ?? [language];
  const months = new Map<string, number>();
  try {
    for (const name of Intl.DateTimeFormat.supportedLocalesOf(wanted))
      for (const [word, month] of nameMonths(name)) months.set(word, month);
  } catch {
    // An invalid language has no months.
  }
  known.set(language, months);
  return months;
}

const timePart = String.raw`(?:(?:\s+at\s+|[ T])(?<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?<utc>Z)?)?$`;
const of = String.raw`(?:\s+(?:de|of))?\s+`;
const dateForms = [
  new RegExp(String.raw`^(?<year>\d{4})-(?<number>\d{2})-(?<day>\d{2})${timePart}`),
  new RegExp(String.raw`^(?<year>\d{4})[年년]\s*(?<number>\d{1,2})[月월]\s*(?<day>\d{1,2})[日일]${timePart}`),
  new RegExp(String.raw`^(?<day>\d{1,2})\.?${of}(?<month>[^\d\s,]+),?${of}(?<year>\d{4})${timePart}`),
  new RegExp(String.raw`^(?<month>[^\d\s,]+) (?<day>\d{1,2}),? (?<year>\d{4})${timePart}`),
];

const two = (number: string): string => number.padStart(2, '0');

/**
 * Reads a day or an instant with the months of `language`, since "mar" is March only in some. Throws Unreadable, also for words
 * such as "every day" or "tomorrow", whose meaning depends on the time of reading.
 */
export function readTodoistDate(text: string, language: string, zone: string): FileDue {
  const found = dateForms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (found === undefined)
    throw new Unreadable(`DATE "${text}" is not a day like 2026-11-30 or a time like 2026-11-30 15:00`);
  const { year = '', day = '', month = '', time, utc } = found;
  const number = found['number'] ?? monthsOf(language.toLowerCase()).get(wordOf(month));
  if (number === undefined)
    throw new Unreadable(
      `DATE "${text}" has a month that ${language === '' ? 'English' : `DATE_LANG "${language}"`} does not have`,
    );
  const date = [year, two(String(number)), two(day)].join('-');
  return time === undefined
    ? { date: requireDay(date, 'DATE'), zone }
    : { time: atLocalTime(date, time.padStart(5, '0'), utc === undefined ? zone : 'UTC') };
}
