import { InvalidArgumentError } from 'commander';

/** in-progress or in_progress → the number that an enum of the contract has for it. */
export type Choices = Readonly<Record<string, number | string>>;

const toWord = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** The words for the values of an enum of generated code, without UNSPECIFIED and what is left out. */
export function wordsOf(choices: Choices, ...without: string[]): string[] {
  return Object.keys(choices)
    .filter((name) => !/^\d+$/.test(name) && name !== 'UNSPECIFIED' && !without.includes(name))
    .map(toWord);
}

/** Reads one word. Throws what commander reports as a wrong argument. */
export function readChoice<T extends number>(choices: Choices, words: readonly string[], text: string): T {
  const word = toWord(text.trim());
  const name = Object.keys(choices).find((one) => toWord(one) === word);
  if (name === undefined || !words.includes(word)) throw new InvalidArgumentError(`It is none of ${words.join(', ')}.`);
  return choices[name] as T;
}

/** Reads words with commas between; an option that is repeated adds. */
export function readChoiceList<T extends number>(choices: Choices, words: readonly string[]) {
  return (text: string, before: T[] = []): T[] => [
    ...before,
    ...text.split(',').map((part) => readChoice<T>(choices, words, part)),
  ];
}

/** An option that may be repeated. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];

export function readCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}
