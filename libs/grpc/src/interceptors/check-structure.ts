import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { FieldViolation } from '#libs/errors';
import { describeTimeFault } from './time-faults.ts';

const maxDepth = 100;

interface Child {
  message: DescMessage;
  /** The name in the .proto file. */
  name: string;
  isList: boolean;
}

/** The fields of a type that hold messages, by number. Computed once for each type. */
const childrenOf = new WeakMap<DescMessage, Map<number, Child>>();

function toChild(field: DescField): Child | undefined {
  if (field.fieldKind === 'message') return { message: field.message, name: field.name, isList: false };
  return field.fieldKind === 'list' && field.listKind === 'message'
    ? { message: field.message, name: field.name, isList: true }
    : undefined;
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
}

function pathOf({ parent, name, index }: Place): string {
  const own = index === undefined ? name : `${name}[${index}]`;
  return parent?.parent === undefined ? own : `${pathOf(parent)}.${own}`;
}

/** Returns the place of each field of a message and counts the items of its lists. */
function placesIn(parent: Place): (child: Child) => Place {
  const counts = new Map<string, number>();
  return ({ name, isList }) => {
    const index = counts.get(name) ?? 0;
    if (isList) counts.set(name, index + 1);
    return { parent, name, index: isList ? index : undefined, depth: parent.depth + 1 };
  };
}

class Walk {
  readonly violations: FieldViolation[] = [];
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
      if (child === undefined) reader.pos = fieldEnd;
      else this.#child(child.message, fieldEnd, placeOf(child));
    }
    if (reader.pos !== end) throw new Error(`${type.typeName} does not end where it should`);
  }

  #child(type: DescMessage, end: number, place: Place): void {
    const begin = this.#reader.pos;
    this.message(type, end, place);
    const fault = describeTimeFault(type.typeName, this.#bytes.subarray(begin, end));
    if (fault !== undefined) this.violations.push({ field: pathOf(place), description: fault });
  }
}

/**
 * Throws unless every field of a serialized message lies inside the message that contains it. Generated decoders check
 * only the end of all bytes: a nested text with a wrong length would swallow the fields behind it, and a zero tag would
 * end the message. Returns violations for invalid times, which decoders would turn into other times.
 */
export function checkStructure(type: DescMessage, bytes: Uint8Array): FieldViolation[] {
  const walk = new Walk(bytes);
  walk.message(type, bytes.length, { parent: undefined, name: '', index: undefined, depth: 0 });
  return walk.violations;
}
