import { findIana } from 'windows-iana';
import { findTimeZone } from '#libs/errors';
import { DescribedZone } from './described-zone.ts';
import type { Component } from './ical-components.ts';
import { Unreadable } from './file-task.ts';

/** A zone that is known by name, or described in the file. */
export type IcalZone = { name: string } | { described: DescribedZone };

/** The zones of one calendar. */
export interface ZoneBook {
  /** By the TZID that the file describes. */
  described: Map<string, DescribedZone>;
  /** X-WR-TIMEZONE, for days and times without a zone. */
  named: string | undefined;
}

/** Vendors put prefixes before a name, such as "/citadel.org/20260101_1/Europe/Berlin". */
function findAtEnd(tzid: string): string | undefined {
  const parts = tzid.split('/');
  for (let from = 0; from < parts.length; from += 1) {
    const zone = findTimeZone(parts.slice(from).join('/'));
    // A single word such as "EST" at the end of a longer name is not taken for a zone.
    if (zone !== undefined && (from === 0 || parts.length - from > 1 || zone === 'UTC')) return zone;
  }
  return undefined;
}

function findByName(tzid: string): string | undefined {
  return findAtEnd(tzid) ?? findTimeZone(findIana(tzid)[0] ?? '');
}

export function addZone(book: ZoneBook, component: Component): void {
  const tzid = component.properties.find(({ name }) => name === 'TZID')?.value.trim();
  if (tzid !== undefined) book.described.set(tzid, new DescribedZone(component));
}

/** A TZID is described in its file, unless it begins with "/", which makes it global (3.2.19). Throws Unreadable. */
export function resolveZone(tzid: string, { described }: ZoneBook, what = 'TZID'): IcalZone {
  const own = described.get(tzid);
  if (own !== undefined && !tzid.startsWith('/')) return { described: own };
  const name = findByName(tzid);
  if (name !== undefined) return { name };
  if (own !== undefined) return { described: own };
  throw new Unreadable(`${what} "${tzid}" is neither a zone that is known nor described in the file`);
}

/** The IANA name of a zone, which days need. Throws Unreadable. */
export function nameZone(tzid: string, what: string): string {
  const name = findByName(tzid);
  if (name === undefined) throw new Unreadable(`${what} "${tzid}" is not a time zone like Europe/Berlin`);
  return name;
}

export function toInstant(local: Temporal.PlainDateTime, zone: IcalZone): Date {
  return 'name' in zone
    ? new Date(local.toZonedDateTime(zone.name).epochMilliseconds)
    : zone.described.toInstant(local);
}
