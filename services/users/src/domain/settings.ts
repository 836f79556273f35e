/** The zone as the IANA database writes it; undefined for anything else, offsets like "+01:00" included. */
export function toTimeZone(text: string): string | undefined {
  if (!/^[A-Za-z]/.test(text)) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** The language tag in its canonical spelling ("en-us" becomes "en-US"); undefined for anything else. */
export function toLocale(text: string): string | undefined {
  try {
    return text === '' ? undefined : Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}
