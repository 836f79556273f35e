import { fromBinary, toBinary, type DescMessage, type Message } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { describeTimeFault } from './time-faults.ts';

/** Seconds that no Date can hold, and that are beyond every span. */
const never = 2n ** 63n - 1n;

function spoil(message: ReflectMessage): void {
  const { typeName } = message.desc;
  if (describeTimeFault(typeName, toBinary(message.desc, message.message)) === undefined)
    return childrenOf(message).forEach(spoil);
  Object.assign(message.message, { seconds: never, nanos: 0 });
}

function childrenOf(message: ReflectMessage): ReflectMessage[] {
  return message.fields.flatMap((field): ReflectMessage[] => {
    if (!message.isSet(field)) return [];
    if (field.fieldKind === 'message') return [message.get(field)];
    return field.fieldKind === 'list' && field.listKind === 'message'
      ? [...(message.get(field) as unknown as Iterable<ReflectMessage>)]
      : [];
  });
}

/**
 * The serialized request with times that no schema takes in the place of invalid ones, which decoders would turn into
 * other times. Only the few requests that have one pay for it.
 */
export function spoilFaultyTimes(type: DescMessage, bytes: Uint8Array): Buffer {
  const message: Message = fromBinary(type, bytes);
  spoil(reflect(type, message));
  return Buffer.from(toBinary(type, message));
}
