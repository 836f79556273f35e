import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

const maxDepth = 100;

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === 'message') return field.message;
  return field.fieldKind === 'list' && field.listKind === 'message' ? field.message : undefined;
}

/** The message types of a type's fields by field number; made once for each type. */
const childrenOf = new WeakMap<DescMessage, Map<number, DescMessage>>();

function findChildren(type: DescMessage): Map<number, DescMessage> {
  const known = childrenOf.get(type);
  if (known !== undefined) return known;
  const found = type.fields.flatMap((field): [number, DescMessage][] => {
    const message = messageOf(field);
    return message === undefined ? [] : [[field.number, message]];
  });
  const children = new Map(found);
  childrenOf.set(type, children);
  return children;
}

function walk(reader: BinaryReader, type: DescMessage, end: number, depth: number): void {
  if (depth > maxDepth) throw new Error('nested too deep');
  const children = findChildren(type);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const length = reader.uint32();
    const fieldEnd = reader.pos + length;
    if (fieldEnd > end) throw new Error(`field ${number} of ${type.typeName} is longer than what holds it`);
    const child = children.get(number);
    if (child === undefined) reader.pos = fieldEnd;
    else walk(reader, child, fieldEnd, depth + 1);
  }
  if (reader.pos !== end) throw new Error(`${type.typeName} does not end where it should`);
}

/**
 * Throws unless every field of a serialized message lies inside the message that holds it. Generated decoders check only the
 * end of all bytes: a nested text with a wrong length would swallow the fields behind it, and a zero tag would end the message.
 */
export function checkStructure(type: DescMessage, bytes: Uint8Array): void {
  walk(new BinaryReader(bytes), type, bytes.length, 0);
}
