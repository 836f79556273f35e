import { english } from './en.ts';
import type { Phrases } from './phrases.ts';

/** The languages of mails, by their BCP 47 tags. */
const languages: Readonly<Record<string, Phrases>> = { en: english };
const fallback = 'en';

/** What mails say to somebody of this locale, and in which language that is: "pt-BR" is served by "pt-BR", "pt", "en". */
export function phrasesFor(locale: string): { language: string; phrases: Phrases } {
  const parts = locale.split('-');
  for (let length = parts.length; length > 0; length -= 1) {
    const language = parts.slice(0, length).join('-');
    const phrases = Object.hasOwn(languages, language) ? languages[language] : undefined;
    if (phrases !== undefined) return { language, phrases };
  }
  return { language: fallback, phrases: english };
}
