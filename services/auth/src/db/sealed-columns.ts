import type { SealedColumn } from '#libs/db';

/** Everything that is sealed under the encryption key. */
export const sealedColumns: readonly SealedColumn[] = [
  { table: 'signing_keys', column: 'sealed_private_key', key: ['kid'], label: ([kid = '']) => kid },
];
