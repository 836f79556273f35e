/** Where something stands in a JSON text: names of members and positions of elements, from the outside. */
export type JsonPath = readonly (string | number)[];

export interface JsonScan {
  /** Where members are there for the second time; not all of them when they are many. */
  readonly repeated: readonly JsonPath[];
  /** It has numbers that JSON.parse rounds, or of which it does not say how they are written. */
  readonly hasOddNumbers: boolean;
  /** It is nested more deeply than a message can be. */
  readonly isTooDeep: boolean;
  /** It has more values than any request needs: the array or object in which reading stopped. */
  readonly tooManyIn: JsonPath | undefined;
}

interface Frame {
  /** The names so far; undefined in an array. */
  names: Set<string> | undefined;
  /** Where we are: the name of the member or the position of the element. */
  at: string | number;
  expectsName: boolean;
}

/** As deep as protobuf lets binary messages be. */
const maxDepth = 100;
/** Opening brackets and commas. A batch of 500 tasks that use every field has half as many. */
const maxParts = 50_000;
/** One more than are told, so that it is known that there are more. */
const maxRepeated = 101;

const startsOfNumber = '-0123456789';
const plainWhole = /^-?\d{1,15}$/;
/** From where it is asked: all that may belong to a number. */
const restOfNumber = /[\d.eE+-]*/y;

function readName(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    return token;
  }
}

/** Where the string ends that begins here: behind its last quote. */
function endOfString(text: string, begin: number): number {
  for (let quote = text.indexOf('"', begin + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (text[first - 1] === '\\') first -= 1;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** Reads each character once, and stops at what is refused anyway: no text may cost more than its length. */
class Scan implements JsonScan {
  readonly repeated: JsonPath[] = [];
  hasOddNumbers = false;
  isTooDeep = false;
  tooManyIn: JsonPath | undefined;
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #position = 0;
  #parts = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): this {
    while (this.#position < this.#text.length && !this.isTooDeep && this.tooManyIn === undefined) this.#step();
    return this;
  }

  #step(): void {
    const character = this.#text.charAt(this.#position);
    if (character === '"') return this.#string();
    if (startsOfNumber.includes(character)) return this.#number();
    this.#position += 1;
    if (character === '{') this.#open({ names: new Set(), at: '', expectsName: true });
    else if (character === '[') this.#open({ names: undefined, at: 0, expectsName: false });
    else if (character === '}' || character === ']') this.#frames.pop();
    else if (character === ',') this.#next();
  }

  #open(frame: Frame): void {
    this.#count();
    this.#frames.push(frame);
    this.isTooDeep = this.#frames.length > maxDepth;
  }

  #next(): void {
    this.#count();
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    if (frame.names === undefined) frame.at = Number(frame.at) + 1;
    else frame.expectsName = true;
  }

  #count(): void {
    this.#parts += 1;
    if (this.#parts > maxParts) this.tooManyIn = this.#path().slice(0, -1);
  }

  #string(): void {
    const begin = this.#position;
    this.#position = endOfString(this.#text, begin);
    const frame = this.#frames.at(-1);
    if (frame?.names === undefined || !frame.expectsName) return;
    frame.expectsName = false;
    frame.at = readName(this.#text.slice(begin, this.#position));
    if (frame.names.has(frame.at) && this.repeated.length < maxRepeated) this.repeated.push(this.#path());
    frame.names.add(frame.at);
  }

  #number(): void {
    restOfNumber.lastIndex = this.#position;
    const [number = ''] = restOfNumber.exec(this.#text) ?? [];
    this.#position += number.length;
    this.hasOddNumbers ||= !plainWhole.test(number);
  }

  #path(): JsonPath {
    return this.#frames.map(({ at }) => at);
  }
}

/** Finds members that are there twice, of which JSON.parse keeps the last, numbers that it rounds, and what is too much. */
export function scanJson(text: string): JsonScan {
  return new Scan(text).run();
}
