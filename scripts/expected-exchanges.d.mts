/** One exchange in its JSON form, as docs/json-record.md describes it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON as read
export type ExchangeJson = Record<string, any>;
export const FIXTURES: string;
export function goldenFolders(): { name: string; folder: string; capture: string }[];
export function exchangesOf(folder: string, capture: string): Promise<ExchangeJson[]>;
export function terse(exchange: ExchangeJson): ExchangeJson;
export function expectedText(exchanges: readonly ExchangeJson[]): string;
