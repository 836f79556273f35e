import type { Columns, ColumnTable, Marked, Stored, Values } from './column-table.ts';

/** A value in a message; null becomes an empty text or an unset field. */
type Shown<V> = V extends null ? never : V;

/** The columns that share their name with a field of the message. */
type Public<C> = Exclude<keyof C, Marked<C, { internal: true }>>;

/** The fields without a column, each with the function that computes it from the values and `X`. */
export type ComposedFields<M, C, X> = {
  readonly [F in Exclude<keyof M, Public<C>>]-?: (values: Stored<C>, context: X) => M[F];
};

/** The columns whose value does not fit their field, or that have no field. `never` when all fit. */
export type Misfits<M, C> = {
  [K in Public<C>]: K extends keyof M ? (Shown<Values<C>[K]> extends M[K] ? never : K) : K;
}[Public<C>];

/**
 * Converts an entity to a message. Columns go into the fields of the same name, and `composed` computes the others. It
 * does not compile while a public column lacks its field, or a field has neither a column nor a function. `empty` is
 * the message without any value; its field stays where a column holds null.
 */
export function defineMessage<M extends object, X>(empty: M) {
  return <C extends Columns>(
    { columns }: ColumnTable<C> & ([Misfits<M, C>] extends [never] ? unknown : { lacksField: Misfits<M, C> }),
    composed: ComposedFields<M, C, X>,
  ): ((values: Stored<C>, context: X) => M) => {
    const shown = Object.keys(columns).filter((key) => columns[key]?.marks.internal !== true);
    const made = Object.entries(composed) as [string, (values: Stored<C>, context: X) => unknown][];
    return (values, context) => {
      const message = { ...empty } as Record<string, unknown>;
      for (const key of shown) {
        const value = (values as Record<string, unknown>)[key];
        if (value !== null) message[key] = value;
      }
      for (const [field, make] of made) message[field] = make(values, context);
      return message as M;
    };
  };
}
