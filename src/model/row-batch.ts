/**
 * Exchanges in columns: the form in which they travel from an agent to a server and go into its database. What the
 * columns are called and mean stands in src/transfer/batch-columns.ts.
 */

/** One column of a batch. In every form a value may be null. `codes` has one entry a row, -1: null. */
export type BatchColumn =
  | { readonly form: 'all'; readonly value: string | number | null }
  | { readonly form: 'codes'; readonly texts: readonly string[]; readonly codes: Int32Array }
  | {
      readonly form: 'numbers';
      /** One a row; what stands at a null is not looked at. */
      readonly values: Float64Array;
      /** 1: null. null: none of them is. */
      readonly nulls: Uint8Array | null;
    };

/** Checked: every known column is there, has `rows` values of its type, and no other column is. */
export interface RowBatch {
  /** 1 or more. */
  readonly rows: number;
  /** By name. */
  readonly columns: Readonly<Record<string, BatchColumn>>;
}

/** Who saw the exchanges of a batch. Texts are what the sender says: shown, never trusted. */
export interface BatchOrigin {
  /** Name of the agent, as in the list of agents. */
  readonly agent: string;
  readonly node: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
}

/**
 * What makes a repeated batch harmless: `stream` is drawn at random once for each spool (or computed from what is
 * uploaded), and `number` counts from 1 and is never used again in it. A number may be missing for ever.
 */
export interface BatchNumber {
  readonly stream: string;
  readonly number: number;
}
