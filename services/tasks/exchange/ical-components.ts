import type { ContentLine } from './ical-lines.ts';
import { BrokenFile } from './file-task.ts';

/** The wanted properties between BEGIN and END, without those of inner components. */
export interface Component {
  name: string;
  /** The line of BEGIN. */
  line: number;
  properties: ContentLine[];
  components: Component[];
  /** The first fault that makes it unreadable, and its line. */
  fault: { line: number; problem: string } | undefined;
}

/** What a walk through a file finds. */
export type CalendarEvent =
  { begin: true } | { property: ContentLine } | { component: Component } | { fault: { line: number; problem: string } };

export interface Walk {
  /** Whether a component directly in a calendar is wanted. The others are skipped. */
  wanted: (name: string) => boolean;
  /** Whether a property of a wanted component is kept. */
  kept: (line: ContentLine) => boolean;
  /** Sees every line of a wanted component. */
  onLine?: (line: ContentLine, component: Component) => void;
}

interface Open {
  component: Component;
  wanted: boolean;
}

const maxProperties = 10_000;

/** Closes components up to the one that the line ends; undefined when it ends none. */
function close(stack: Open[], { line, value }: ContentLine): Open | undefined {
  const name = value.trim().toUpperCase();
  const at = stack.findLastIndex(({ component }) => component.name === name);
  if (at === -1) return undefined;
  const [ended, unended] = stack.splice(at);
  if (ended !== undefined && unended !== undefined) {
    ended.component.fault ??= {
      line,
      problem: `${unended.component.name} of line ${unended.component.line} does not end before ${name} does`,
    };
  }
  return ended;
}

function open(stack: Open[], { line, value }: ContentLine, { wanted }: Walk): void {
  const parent = stack.at(-1);
  const component: Component = {
    name: value.trim().toUpperCase(),
    line,
    properties: [],
    components: [],
    fault: undefined,
  };
  const isWanted = stack.length === 1 ? wanted(component.name) : (parent?.wanted ?? true);
  if (parent?.component.name === 'VTIMEZONE') parent.component.components.push(component);
  stack.push({ component, wanted: isWanted });
}

/** Keeps a property of a wanted component, or its fault. */
function keep({ component }: Open, line: ContentLine, walk: Walk): void {
  const kept = walk.kept(line);
  if (kept && line.problem === undefined) component.properties.push(line);
  if (component.properties.length > maxProperties)
    throw new BrokenFile(
      `has a ${component.name} with more than ${maxProperties} properties in line ${component.line}`,
    );
  // Faults in unwanted properties are ignored.
  if (line.problem !== undefined && (kept || line.name === ''))
    component.fault ??= { line: line.line, problem: line.problem };
}

function take(stack: Open[], line: ContentLine, walk: Walk): CalendarEvent[] {
  const parent = stack.at(-1);
  if (parent === undefined)
    return [{ fault: { line: line.line, problem: 'stands outside of BEGIN:VCALENDAR and END:VCALENDAR' } }];
  if (stack.length === 1)
    return [line.problem === undefined ? { property: line } : { fault: { line: line.line, problem: line.problem } }];
  if (parent.wanted) keep(parent, line, walk);
  return [];
}

/** Tasks cannot be nested: a task in which the next one begins has lost its END. */
function dropUnended(stack: Open[], next: string): CalendarEvent[] {
  if (stack.length < 2 || next !== 'VTODO') return [];
  const [lost] = stack.splice(1);
  if (lost?.wanted !== true) return [];
  const { name, line } = lost.component;
  return [{ component: { ...lost.component, fault: { line, problem: `${name} does not end` } } }];
}

function begin(stack: Open[], line: ContentLine, walk: Walk): CalendarEvent[] {
  const events = dropUnended(stack, line.value.trim().toUpperCase());
  if (stack.length === 0) events.push({ begin: true });
  open(stack, line, walk);
  return events;
}

function end(stack: Open[], line: ContentLine): CalendarEvent[] {
  const ended = close(stack, line);
  if (ended === undefined) return [{ fault: { line: line.line, problem: `END:${line.value} ends nothing` } }];
  return stack.length === 1 && ended.wanted ? [{ component: ended.component }] : [];
}

function step(stack: Open[], line: ContentLine, walk: Walk): CalendarEvent[] {
  const target = stack[1];
  if (target?.wanted) walk.onLine?.(line, target.component);
  if (line.name === 'BEGIN') return begin(stack, line, walk);
  return line.name === 'END' ? end(stack, line) : take(stack, line, walk);
}

/** Walks through a file. Throws BrokenFile when it is not iCalendar, or is cut off. */
export async function* walkCalendars(lines: AsyncIterable<ContentLine>, walk: Walk): AsyncGenerator<CalendarEvent> {
  const stack: Open[] = [];
  let begun = false;
  for await (const line of lines) {
    if (!begun && !(line.name === 'BEGIN' && line.value.trim().toUpperCase() === 'VCALENDAR')) break;
    begun = true;
    yield* step(stack, line, walk);
  }
  if (!begun) throw new BrokenFile('is no iCalendar file: it does not begin with BEGIN:VCALENDAR');
  const last = stack.at(-1)?.component;
  if (last !== undefined) throw new BrokenFile(`is not whole: ${last.name} of line ${last.line} does not end`);
}
