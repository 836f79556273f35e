import { fromBinary, ScalarType, toBinary, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { fileRegistry, type MethodPolicy } from '#libs/contract';

/** A text somewhere in a request: the way to it through the messages that hold it. */
export type FieldPath = readonly DescField[];

export function requestTypeOf({ service, method }: MethodPolicy): DescMessage {
  const found = fileRegistry.getService(service)?.methods.find(({ name }) => name === method);
  if (found === undefined) throw new Error(`the contract has no descriptor of ${service}/${method}`);
  return found.input;
}

function isText(field: DescField): boolean {
  if (field.fieldKind === 'list') return field.listKind === 'scalar' && field.scalar === ScalarType.STRING;
  return field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING;
}

/** Every text, and every list of texts, of a request and of the messages in it. */
export function textFieldsOf(type: DescMessage, above: FieldPath = []): FieldPath[] {
  return type.fields.flatMap((field) => {
    if (field.fieldKind === 'message') return textFieldsOf(field.message, [...above, field]);
    return isText(field) ? [[...above, field]] : [];
  });
}

/** "user.display_name" */
export const nameOf = (path: FieldPath): string => path.map(({ name }) => name).join('.');

/** The request with these bytes in the place of a text, whether or not they are text. */
export function withBytes(type: DescMessage, request: Uint8Array, path: FieldPath, bytes: Uint8Array): Buffer {
  return Buffer.from(replace(type, fromBinary(type, request), path, bytes));
}

function replace(type: DescMessage, message: Message, [field, ...below]: FieldPath, bytes: Uint8Array): Uint8Array {
  if (field === undefined) return bytes;
  const values = message as unknown as Record<string, unknown>;
  const child = values[field.localName];
  delete values[field.localName];
  if (field.fieldKind === 'list') values[field.localName] = [];
  const inside =
    field.fieldKind === 'message'
      ? replace(field.message, (child ?? fromBinary(field.message, new Uint8Array())) as Message, below, bytes)
      : bytes;
  // The generated decoders take the last occurrence of a field; there is no other one left.
  const writer = new BinaryWriter()
    .raw(toBinary(type, message))
    .tag(field.number, WireType.LengthDelimited)
    .uint32(inside.length)
    .raw(inside);
  return writer.finish();
}
