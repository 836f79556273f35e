import { fromBinary, fromJson, toBinary, toJson, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { fileRegistry } from './descriptors.ts';

/** A message type as a program needs it that has only the generated stubs. */
export interface CanonicalJson<Message> {
  encode(message: Message): JsonValue;
  /** Passes over fields that it does not know. Throws for what is not the message's JSON. */
  decode(json: JsonValue): Message;
}

interface Codec<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

/** The JSON form that protobuf defines for a message, named as "taskflow.tasks.v1.Task"; the stubs have none. */
export function canonicalJson<Message>(name: string, codec: Codec<Message>): CanonicalJson<Message> {
  const schema = schemaOf(name);
  return {
    encode: (message) => toJson(schema, fromBinary(schema, codec.encode(message).finish())),
    decode: (json) => codec.decode(toBinary(schema, fromJson(schema, json, { ignoreUnknownFields: true }))),
  };
}

function schemaOf(name: string): DescMessage {
  const schema = fileRegistry.getMessage(name);
  if (schema === undefined) throw new Error(`the contract has no message ${name}`);
  return schema;
}
