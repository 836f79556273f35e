import { ArrayType, Type } from '@mikro-orm/core';

/** xid8, the id of a transaction that never wraps around; bigint in code. */
class TransactionId extends Type<bigint, string> {
  override convertToDatabaseValue(value: bigint): string {
    return String(value);
  }
  override convertToJSValue(value: string): bigint {
    return BigInt(value);
  }
  override getColumnType(): string {
    return 'xid8';
  }
}

/** bigint[], also bigint in code. */
class BigIntArray extends Type<bigint[], string> {
  override convertToDatabaseValue(value: bigint[]): string {
    return `{${value.join(',')}}`;
  }
  override convertToJSValue(value: string | string[]): bigint[] {
    const items = Array.isArray(value) ? value : value.slice(1, -1).split(',');
    return items.filter((item) => item !== '').map(BigInt);
  }
  override getColumnType(): string {
    return 'bigint[]';
  }
}

/** text[] with every element quoted. The ORM leaves NULL unquoted, so that the text "NULL" would become null. */
export class TextArrayType extends ArrayType<string> {
  override convertToDatabaseValue(texts: string[]): string {
    return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
  }
  override getColumnType(): string {
    return 'text[]';
  }
}

/** A smallint that is mapped to a value in code. */
export class CodeType<V> extends Type<V, number> {
  readonly #toCode: (value: V) => number;
  readonly #fromCode: (code: number) => V;

  constructor(toCode: (value: V) => number, fromCode: (code: number) => V) {
    super();
    this.#toCode = toCode;
    this.#fromCode = fromCode;
  }
  override convertToDatabaseValue(value: V | number): number {
    return typeof value === 'number' ? value : this.#toCode(value);
  }
  override convertToJSValue(value: number): V {
    return this.#fromCode(value);
  }
  override getColumnType(): string {
    return 'smallint';
  }
}

/** Column types that the ORM lacks: `p.type(columnTypes.TransactionId)`. */
export const columnTypes = { TransactionId, BigIntArray };
