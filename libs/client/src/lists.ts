import type { DescField, DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';

type Arrays<T> = keyof {
  [K in keyof T as K extends '$unknown' ? never : T[K] extends readonly unknown[] ? K : never]: T[K];
};
type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never;
type OnlyArray<T> = IsUnion<Arrays<T>> extends true ? never : Arrays<T>;

/** What the one repeated field of a message holds; never, when the message has several. */
export type ItemOf<D extends DescMessage> = MessageShape<D>[OnlyArray<MessageShape<D>>] extends readonly (infer Item)[]
  ? Item
  : never;

type ElementOf<T, K> = T extends unknown
  ? K extends keyof T
    ? NonNullable<T[K]> extends readonly (infer Item)[]
      ? Item
      : never
    : never
  : never;

/** What may be given for an item of the one repeated field. */
export type ItemInitOf<D extends DescMessage> = ElementOf<MessageInitShape<D>, OnlyArray<MessageShape<D>>>;

/** The one repeated field of a message. Throws TypeError when it has none or several. */
export function listFieldOf({ fields, typeName }: DescMessage): DescField {
  const lists = fields.filter(({ fieldKind }) => fieldKind === 'list');
  const [list] = lists;
  if (list === undefined || lists.length > 1) throw new TypeError(`${typeName} is not one list`);
  return list;
}
