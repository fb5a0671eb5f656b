/** What a request is answered with when it is not done. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly status: number;
  /** Stable kebab-case word. */
  readonly code: string;
  readonly hint: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = options.hint ?? null;
    this.headers = options.headers ?? {};
  }
}

/** 503 that goes away by itself. `seconds`: when to come again. */
export function busy(code: string, message: string, seconds: number): AnswerError {
  return new AnswerError(503, code, message, { headers: { 'retry-after': String(seconds) } });
}
