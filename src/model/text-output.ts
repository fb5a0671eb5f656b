/** Where text for people and scripts goes: standard output, or a string in a test. */
export interface TextOutput {
  /** Takes text; may keep it until a chunk is worth writing. Never throws, also not after the reader left. */
  write(text: string): void;
  /** Takes UTF-8 bytes, in the same order as text; they belong to the output from now on. */
  writeBytes(bytes: Uint8Array): void;
  /** Resolves when more can be taken; null: it can now. */
  drain(): Promise<void> | null;
  /** Resolves when everything taken was handed to the system. */
  flush(): Promise<void>;
}
