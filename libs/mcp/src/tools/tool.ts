import type { DescMethod } from '@bufbuild/protobuf';

/** An argument of a tool, and the field of the request that it fills. */
export interface Argument {
  name: string;
  /** Where the field stands, by the names of protobuf's JSON. */
  path: readonly string[];
  /** In place of the contract's comment, where that speaks of what agents do not see. */
  about?: string;
  /** Of a list: what each entry takes. */
  entries?: Shape;
}

/** What a tool, or an entry of a batch, takes. */
export interface Shape {
  arguments: readonly Argument[];
  /** The resource of an update: the fields that are given make up the mask. */
  masked?: string;
  /** What is the same in every call. */
  fixed?: Readonly<Record<string, string>>;
}

export interface Effects {
  /** Whether it takes something away. */
  destructive: boolean;
  /** Whether doing it twice is as doing it once. */
  idempotent: boolean;
  /** What the answer to validateOnly tells, as "the task would be created". */
  would: string;
}

/** What an agent can do. Schema, limits and scope follow from the contract's method. */
export interface Tool extends Shape {
  name: string;
  title: string;
  method: DescMethod;
  /** For the agent: when to use it, what it returns, what to do when it fails. */
  about: string;
  /** Of a method that changes something. */
  effects?: Effects;
  /** The answer in a few words. Never a text that people wrote: those stay in the JSON. */
  summary: (answer: Answer) => string;
}

/** An answer in protobuf's JSON. */
export type Answer = Readonly<Record<string, unknown>>;

/** `task.title` is the argument `title`, unless it is given another name. */
export function argument(path: string, options: Partial<Pick<Argument, 'name' | 'about'>> = {}): Argument {
  const parts = path.split('.');
  return { name: parts.at(-1) ?? path, path: parts, ...options };
}

/** They name the resource and its version, and are no part of what changes. */
const naming = ['id', 'etag'];

/** What an argument changes of the resource `masked`. */
export function maskOf({ path: [first, second = ''] }: Argument, masked: string | undefined): string | undefined {
  if (masked === undefined) return undefined;
  // An assignee who is named by e-mail changes the id.
  if (first === 'assigneeEmail') return 'assigneeId';
  return first === masked && second !== '' && !naming.includes(second) ? second : undefined;
}

/** What every change takes. */
export const changeArguments: readonly Argument[] = [
  argument('requestId', {
    about: 'Leave it out, unless you repeat a call: then the requestId of that call. 1 to 128 of A-Z a-z 0-9 . _ -',
  }),
  argument('validateOnly', { about: 'Only checks: the same answer and errors as the real call, nothing is written.' }),
];

/** Where a list begins, and how much of it. */
export const pageArguments: readonly Argument[] = [
  argument('pageSize', { about: 'How many at most. Small pages save room.' }),
  argument('pageToken', { about: 'nextPageToken of the page before, with the same arguments.' }),
];

export const count = (list: unknown): number => (Array.isArray(list) ? list.length : 0);

/** "1 task", "2 tasks". */
export const counted = (list: unknown, noun: string): string => `${count(list)} ${noun}${count(list) === 1 ? '' : 's'}`;

/** A page, and whether there are more. */
export const paged = (noun: string, field: string) => (answer: Answer) =>
  `${counted(answer[field], noun)}${answer['nextPageToken'] === undefined ? '.' : '; there are more: pass nextPageToken as pageToken.'}`;
