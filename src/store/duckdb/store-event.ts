/** What the store tells its server's log. Never holds what exchanges hold. */
export interface StoreEvent {
  readonly level: 'info' | 'warn' | 'error';
  /** Stable kebab-case word. */
  readonly code: string;
  readonly message: string;
  readonly facts?: Readonly<Record<string, string | number>>;
}

export type StoreLog = (event: StoreEvent) => void;
