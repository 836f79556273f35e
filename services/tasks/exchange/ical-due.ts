import type { Component } from './ical-components.ts';
import type { ContentLine } from './ical-lines.ts';
import { readDuration, readLocal } from './ical-times.ts';
import { nameZone, resolveZone, toInstant, type IcalZone, type ZoneBook } from './ical-zones.ts';
import { requireDay, Unreadable, type FileDue, type ReadOptions } from './file-task.ts';

/** Parameters of DUE for what iCalendar has no place for. */
export const zoneParameter = 'X-TASKFLOW-ZONE';
export const millisecondsParameter = 'X-TASKFLOW-MS';

export interface DueContext {
  zones: ZoneBook;
  options: ReadOptions;
}

/** A property that may occur once (3.6.2). Throws Unreadable when it occurs with different values. */
export function findOnce({ properties }: Component, name: string): ContentLine | undefined {
  const [first, ...others] = properties.filter((property) => property.name === name);
  const other = others.find(({ value }) => value !== first?.value);
  if (other !== undefined) throw new Unreadable(`there is more than one ${name}`, other.line);
  return first;
}

function defaultZone({ zones, options }: DueContext): string {
  return zones.named === undefined ? options.zone : nameZone(zones.named, 'X-WR-TIMEZONE');
}

function zoneOf({ params, value }: ContentLine, context: DueContext): IcalZone {
  const tzid = params.get('TZID');
  // Z is UTC whatever stands beside it (3.2.19).
  if (/z\s*$/i.test(value)) return { name: 'UTC' };
  if (tzid !== undefined) return resolveZone(tzid, context.zones);
  return context.zones.named === undefined
    ? { name: context.options.zone }
    : resolveZone(context.zones.named, context.zones, 'X-WR-TIMEZONE');
}

/** Of a day: ours, or that of a TZID, which has no business at a day but says what was meant. */
function dayZoneOf({ params }: ContentLine, context: DueContext): string {
  const own = params.get(zoneParameter);
  if (own !== undefined) return nameZone(own, zoneParameter);
  const tzid = params.get('TZID');
  return tzid === undefined ? defaultZone(context) : nameZone(tzid, 'TZID');
}

function readMilliseconds({ params }: ContentLine): number {
  const told = params.get(millisecondsParameter) ?? '0';
  if (!/^\d{1,3}$/.test(told)) throw new Unreadable(`${millisecondsParameter} "${told}" is not a number from 0 to 999`);
  return Number(told);
}

function readDay(
  local: Temporal.PlainDateTime,
  line: ContentLine,
  context: DueContext,
  duration: Temporal.Duration,
): FileDue {
  const { hours, minutes, seconds } = duration;
  if (hours !== 0 || minutes !== 0 || seconds !== 0) throw new Unreadable('DURATION has hours, and DTSTART is a day');
  return { date: requireDay(local.toPlainDate().toString(), line.name), zone: dayZoneOf(line, context) };
}

/** Tells a day from a time by its form, since many programs leave VALUE=DATE out. */
function readDueAt(line: ContentLine, context: DueContext, duration: Temporal.Duration): FileDue {
  const { name, params } = line;
  const value = line.value.trim();
  const isDay = /^\d{8}$/.test(value);
  if (!isDay && params.get('VALUE')?.toUpperCase() === 'DATE')
    throw new Unreadable(`${name} "${value}" is not a day like 20261130`);
  const { weeks, days, hours, minutes, seconds } = duration;
  const local = readLocal(value.replace(/z$/i, ''), name).add({ weeks, days });
  if (isDay) return readDay(local, line, context, duration);
  const instant = toInstant(local, zoneOf(line, context)).getTime();
  return { time: new Date(instant + ((hours * 60 + minutes) * 60 + seconds) * 1000 + readMilliseconds(line)) };
}

/** DUE, or DTSTART with DURATION; undefined when there is neither, or it is empty. */
function findDue(todo: Component): { line: ContentLine; duration: Temporal.Duration } | undefined {
  const [due, start, duration] = [findOnce(todo, 'DUE'), findOnce(todo, 'DTSTART'), findOnce(todo, 'DURATION')];
  if (due !== undefined) return due.value.trim() === '' ? undefined : { line: due, duration: new Temporal.Duration() };
  return start === undefined || duration === undefined
    ? undefined
    : { line: start, duration: readDuration(duration.value) };
}

export function readIcalDue(todo: Component, context: DueContext): FileDue | undefined {
  const found = findDue(todo);
  if (found === undefined) return undefined;
  const { line, duration } = found;
  try {
    return readDueAt(line, context, duration);
  } catch (error) {
    if ((error as Error).name === 'RangeError') throw new Unreadable(`${line.name} is too far away`, line.line);
    throw error instanceof Unreadable && error.line === undefined ? new Unreadable(error.message, line.line) : error;
  }
}
