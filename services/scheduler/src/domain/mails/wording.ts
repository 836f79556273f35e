import { findTimeZone } from '#libs/errors';
import { phrasesFor } from './locales/locales.ts';
import type { Phrases } from './locales/phrases.ts';

/** How a mail is written for one person. */
export interface Wording {
  language: string;
  phrases: Phrases;
  /** A point in time as the person's clock and language show it. */
  formatTime(time: Date): string;
}

const minuteMs = 60_000;

/** A name that is no zone, or no tag, is taken as UTC, or English: neither may keep a mail from being sent. */
export function wordingFor({ locale, timeZone }: { locale: string; timeZone: string }): Wording {
  const { language, phrases } = phrasesFor(locale);
  const zone = findTimeZone(timeZone) ?? 'UTC';
  // "en-GB" writes dates in its own way; "pt-BR", which is written to in English, does not mix two languages.
  const tag = locale.split('-')[0] === language.split('-')[0] ? locale : language;
  const day = new Intl.DateTimeFormat(tag, { timeZone: zone, dateStyle: 'full' });
  const minute = new Intl.DateTimeFormat(tag, { timeZone: zone, dateStyle: 'full', timeStyle: 'short' });
  const clock = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', minute: 'numeric', hourCycle: 'h23' });
  return {
    language,
    phrases,
    formatTime: (time) =>
      // A day ends at midnight: people call that the day before.
      clock.format(time) === '00:00' ? day.format(time.getTime() - minuteMs) : `${minute.format(time)} (${zone})`,
  };
}
