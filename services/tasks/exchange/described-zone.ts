import { RRuleTemporal } from 'rrule-temporal';
import type { Component } from './ical-components.ts';
import { readLocal } from './ical-times.ts';
import { Unreadable } from './file-task.ts';

/** A change of the clock. In milliseconds. */
interface Onset {
  instant: number;
  offsetBefore: number;
  offsetAfter: number;
}

const utc = (date: Temporal.PlainDateTime): number => date.toZonedDateTime('UTC').epochMilliseconds;

function valueOf({ properties }: Component, name: string): string | undefined {
  return properties.find((property) => property.name === name)?.value;
}

function readOffset(observance: Component, name: string): number {
  const [, sign, hours = '', minutes = '', seconds = '0'] =
    /^([+-])(\d{2})(\d{2})(\d{2})?$/.exec(valueOf(observance, name)?.trim() ?? '') ?? [];
  if (sign === undefined) throw new Unreadable(`${name} of line ${observance.line} is not an offset like +0100`);
  return (sign === '-' ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

/** The clock times of a rule until the end of a year, as if they were UTC. */
function expandRule(rule: string, start: Temporal.PlainDateTime, year: number): number[] {
  if (!/FREQ=(YEARLY|MONTHLY)\b/i.test(rule))
    throw new Unreadable(`RRULE "${rule}" of a time zone is neither yearly nor monthly`);
  const expansion = new RRuleTemporal({
    rruleString: `DTSTART:${start.toString().replaceAll(/[-:]/g, '')}Z\nRRULE:${rule}`,
    maxIterations: 200_000,
  });
  const end = new Date(Date.UTC(year + 1, 0, 1));
  return expansion.between(new Date(utc(start) - 1000), end, true).map((time) => time.epochMilliseconds);
}

/** UNTIL is in UTC in a time zone (3.3.10). Without its Z, files mean local time. */
function untilOf(rule: string, offsetBefore: number): number {
  const [, day, time = 'T235959', z] = /(?:^|;)UNTIL=(\d{8})(T\d{6})?(Z)?/i.exec(rule) ?? [];
  if (day === undefined) return Infinity;
  return utc(readLocal(`${day}${time}`, 'UNTIL')) - (z === undefined ? offsetBefore : 0);
}

function onsetsOf(observance: Component, year: number): Onset[] {
  const [offsetBefore, offsetAfter] = [readOffset(observance, 'TZOFFSETFROM'), readOffset(observance, 'TZOFFSETTO')];
  const start = readLocal(valueOf(observance, 'DTSTART') ?? '', 'DTSTART');
  const single = observance.properties
    .filter(({ name }) => name === 'RDATE')
    .flatMap(({ value }) => value.split(',').map((time) => utc(readLocal(time.split('/')[0] ?? '', 'RDATE'))));
  const rules = observance.properties.filter(({ name }) => name === 'RRULE').map(({ value }) => value.trim());
  const repeated = rules.flatMap((rule) => {
    const until = untilOf(rule, offsetBefore);
    return expandRule(rule.replace(/;?UNTIL=[^;]*/i, '').replace(/^;/, ''), start, year).filter(
      (time) => time - offsetBefore <= until,
    );
  });
  const times = new Set([utc(start), ...single, ...repeated]);
  return [...times].map((time) => ({ instant: time - offsetBefore, offsetBefore, offsetAfter }));
}

/** A time zone that a file describes (RFC 5545, 3.6.5). */
export class DescribedZone {
  readonly #component: Component;
  #onsets: Onset[] = [];
  #year = -1;
  constructor(component: Component) {
    this.#component = component;
  }

  /**
   * The instant of a clock time. A time in a gap is counted from before the gap; of a time that comes twice, the first. Throws
   * Unreadable for an invalid description.
   */
  toInstant(local: Temporal.PlainDateTime): Date {
    const time = utc(local);
    const onsets = this.#listOnsets(local.year);
    const first = onsets[0];
    if (first === undefined)
      throw new Unreadable(`the time zone of line ${this.#component.line} has no STANDARD and no DAYLIGHT`);
    let offset = first.offsetBefore;
    for (const { instant, offsetAfter } of onsets) {
      if (time - offset < instant) return new Date(time - offset);
      // In the gap, the offset before it applies.
      if (time - offsetAfter < instant) return new Date(time - offset);
      offset = offsetAfter;
    }
    return new Date(time - offset);
  }

  #listOnsets(year: number): Onset[] {
    if (this.#component.fault !== undefined)
      throw new Unreadable(
        `the time zone of line ${this.#component.line} cannot be read: ${this.#component.fault.problem}`,
      );
    if (year > this.#year) {
      this.#year = year + 10;
      const observances = this.#component.components.filter(({ name }) => name === 'STANDARD' || name === 'DAYLIGHT');
      this.#onsets = observances
        .flatMap((observance) => onsetsOf(observance, Math.min(this.#year, 9999)))
        .sort((left, right) => left.instant - right.instant);
    }
    return this.#onsets;
  }
}
