import { Type } from '@mikro-orm/core';

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

/** Column types that the ORM lacks: `p.type(columnTypes.TransactionId)`. */
export const columnTypes = { TransactionId, BigIntArray };
