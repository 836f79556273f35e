import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { isOutputOnly, listLimitOf, textLimitOf } from '#libs/contract';
import type { FieldViolation } from '#libs/errors';
import { describeTimeFault } from './time-faults.ts';

const maxDepth = 100;

/** A field that holds messages, a text, or entries of which there may be only so many. */
interface Child {
  /** undefined: what is in it is left to the decoder. */
  message: DescMessage | undefined;
  /** The name in the .proto file. */
  name: string;
  isList: boolean;
  /** Servers ignore what is in it. */
  isIgnored: boolean;
  /** More entries are refused before any is decoded. */
  maxItems: number;
  tooMany: string;
  /** Of a text, or of each entry of a list of texts. A longer one is refused before it is decoded. */
  maxBytes: number;
  tooLong: string;
}

/** By number. Computed once for each type. */
const childrenOf = new WeakMap<DescMessage, Map<number, Child>>();

const unlimited = { maxItems: Infinity, tooMany: '', maxBytes: Infinity, tooLong: '' };

function toChild(field: DescField): Child | undefined {
  const isList = field.fieldKind === 'list';
  const limits = { ...unlimited, ...listLimitOf(field), ...textLimitOf(field) };
  if (!isList && field.fieldKind !== 'message' && limits.maxBytes === Infinity) return undefined;
  return { message: field.message, name: field.name, isList, isIgnored: isOutputOnly(field), ...limits };
}

function findChildren(type: DescMessage): Map<number, Child> {
  const known = childrenOf.get(type);
  if (known !== undefined) return known;
  const found = type.fields.flatMap((field): [number, Child][] => {
    const child = toChild(field);
    return child === undefined ? [] : [[field.number, child]];
  });
  const children = new Map(found);
  childrenOf.set(type, children);
  return children;
}

/** The place of a message in the request. Its path is only built for a violation. */
interface Place {
  parent: Place | undefined;
  name: string;
  /** The index in a list. */
  index: number | undefined;
  depth: number;
  isIgnored: boolean;
}

function pathOf({ parent, name, index }: Place): string {
  const own = index === undefined ? name : `${name}[${index}]`;
  return parent?.parent === undefined ? own : `${pathOf(parent)}.${own}`;
}

/** Returns the place of each field of a message and counts the items of its lists. */
function placesIn(parent: Place): (child: Child) => Place {
  const counts = new Map<string, number>();
  return ({ name, isList, isIgnored }) => {
    const index = counts.get(name) ?? 0;
    if (isList) counts.set(name, index + 1);
    const ignored = parent.isIgnored || isIgnored;
    return { parent, name, index: isList ? index : undefined, depth: parent.depth + 1, isIgnored: ignored };
  };
}

/** What is wrong with a request before it is decoded. */
export interface Faults {
  /** Lists and texts that are much too long, each part of which would cost time: such a request is not decoded. */
  sizes: FieldViolation[];
  /** Invalid times, which decoders would turn into other times. */
  times: FieldViolation[];
}

/** What the bytes of a request are like. */
export interface Structure extends Faults {
  /** A field that holds one message is there more than once. */
  isSplit: boolean;
}

/** A text that is not too long. Texts are many, so nothing is made for one. */
const isFine = ({ message, isList, maxBytes }: Child, length: number): boolean =>
  message === undefined && !isList && length <= maxBytes;

/** Whether a message that may be there once has been seen before. */
function isRepeated(child: Child | undefined, seen: Set<Child>): boolean {
  if (child?.message === undefined || child.isList) return false;
  return seen.size === seen.add(child).size;
}

class Walk {
  readonly found: Structure = { sizes: [], times: [], isSplit: false };
  readonly #bytes: Uint8Array;
  readonly #reader: BinaryReader;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
  }

  message(type: DescMessage, end: number, place: Place): void {
    if (place.depth > maxDepth) throw new Error('nested too deep');
    const reader = this.#reader;
    const children = findChildren(type);
    const placeOf = placesIn(place);
    const seen = new Set<Child>();
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, number);
        continue;
      }
      const length = reader.uint32();
      const fieldEnd = reader.pos + length;
      if (fieldEnd > end) throw new Error(`field ${number} of ${type.typeName} is longer than its message`);
      const child = children.get(number);
      this.found.isSplit ||= isRepeated(child, seen);
      if (child === undefined || isFine(child, length)) reader.pos = fieldEnd;
      else this.#child(child, fieldEnd, placeOf(child));
    }
    if (reader.pos !== end) throw new Error(`${type.typeName} does not end where it should`);
  }

  #child({ message: type, maxItems, tooMany, maxBytes, tooLong }: Child, end: number, place: Place): void {
    const { index = 0, isIgnored } = place;
    const begin = this.#reader.pos;
    if (index === maxItems) this.#report('sizes', { ...place, index: undefined }, tooMany);
    if (index < maxItems && end - begin > maxBytes) this.#report('sizes', place, tooLong);
    if (type === undefined || index >= maxItems) return void (this.#reader.pos = end);
    this.message(type, end, place);
    const fault = isIgnored ? undefined : describeTimeFault(type.typeName, this.#bytes.subarray(begin, end));
    if (fault !== undefined) this.#report('times', place, fault);
  }

  #report(kind: keyof Faults, place: Place, description: string): void {
    if (!place.isIgnored) this.found[kind].push({ field: pathOf(place), description });
  }
}

/**
 * Throws unless every field of a serialized message lies inside the message that contains it. Generated decoders check
 * only the end of all bytes: a nested text with a wrong length would swallow the fields behind it, and a zero tag would
 * end the message. Returns what else is wrong with it. What servers ignore is never wrong.
 */
export function checkStructure(type: DescMessage, bytes: Uint8Array): Structure {
  const walk = new Walk(bytes);
  walk.message(type, bytes.length, { parent: undefined, name: '', index: undefined, depth: 0, isIgnored: false });
  return walk.found;
}
