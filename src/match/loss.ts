/**
 * Bytes in which messages may be lost:
 *  - `skipped`: they are there, but were not understood;
 *  - `inside`: they are missing from within a message, and perhaps from beyond it;
 *  - `between`: they are missing where a message begins, so that at least one is lost.
 */
export type Loss = 'skipped' | 'inside' | 'between';
