import { UserError } from '../../model/errors.ts';
import type { CaptureDamage } from '../../model/packet.ts';
import type { FollowedFile } from './file.ts';
import { emptyReport, type FollowNotice, type FollowReport } from './report.ts';
import type { FollowTold } from './set.ts';

/** Counts what becomes of files, and tells what a user should know at once. */
export class FollowTeller implements FollowTold {
  readonly report: FollowReport = emptyReport();
  readonly #onNotice: ((notice: FollowNotice) => void) | null;

  constructor(onNotice: ((notice: FollowNotice) => void) | undefined) {
    this.#onNotice = onNotice ?? null;
  }

  missing(target: string): void {
    this.#notice('missing', target, 'nothing to read yet');
  }

  refused(file: FollowedFile, error: UserError): void {
    file.state = 'refused';
    file.refusal = error;
    this.report.refused++;
    this.#notice('refused', file.path, `${error.message}; it is left out`);
  }

  problem(path: string, code: string): void {
    const denied = code === 'EACCES' || code === 'EPERM';
    const text = denied
      ? 'permission denied; it is read as soon as that is allowed'
      : `cannot be read (${code}); it is tried again`;
    this.#notice('problem', path, text);
  }

  vanished(path: string): void {
    this.report.vanished++;
    this.#notice('vanished', path, 'was gone before it could be read');
  }

  copy(): void {
    this.report.copies++;
  }

  damaged(path: string, damage: CaptureDamage): void {
    this.report.damaged++;
    this.#notice('damage', path, damage.what);
  }

  /** A file whose turn had come could not be opened: settles what becomes of it. */
  notOpened(file: FollowedFile, error: unknown): void {
    if (file.overwritten) {
      file.state = 'over';
      this.vanished(file.path);
    } else if (file.problem !== null) {
      // Looked at again, and taken up when it can be read.
      file.state = 'new';
      file.probed = null;
    } else if (error instanceof UserError) this.refused(file, error);
    else {
      file.state = 'over';
      const { code, message } = error as { code?: string; message?: string };
      this.#notice('problem', file.path, `cannot be read (${code ?? message ?? 'unknown error'})`);
    }
  }

  #notice(kind: FollowNotice['kind'], path: string, text: string): void {
    this.#onNotice?.({ kind, path, text });
  }
}
