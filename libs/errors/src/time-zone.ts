/** The longest accepted name; the longest IANA name has 32 characters. */
export const maxTimeZoneCharacters = 64;

/**
 * Finds a time zone by its IANA name, in any letter case. Returns the name in IANA's letter case, or as it is. Old and
 * new names of one zone stay what they are: Europe/Kyiv does not become Europe/Kiev, as with `Intl`. Undefined for all
 * others, among them offsets such as +01:00 and abbreviations such as PST, which only `Intl` knows. Every accepted zone
 * works in all computations.
 */
export function findTimeZone(name: string): string | undefined {
  if (name.length > maxTimeZoneCharacters || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return undefined;
  try {
    return Temporal.Now.zonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}
