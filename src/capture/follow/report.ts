/** Something that a user should know at once. */
export interface FollowNotice {
  readonly kind: 'refused' | 'problem' | 'vanished' | 'missing' | 'damage';
  /** File, directory or target that it is about. Names come from strangers. */
  readonly path: string;
  readonly text: string;
}

/** What became of the files that were followed. */
export interface FollowReport {
  /** Files of which something was read; a name that was used again counts again. */
  files: number;
  /** Files that were there before and were not read. */
  leftOut: number;
  /** Files that are no captures. */
  refused: number;
  /** Compressed copies of files that were read. */
  copies: number;
  /** Files that were gone, or overwritten, before anything of them was read. */
  vanished: number;
  /** Captures that broke, or were overwritten before they were read to their end. */
  damaged: number;
  /** Captures that were still being written, and ended in the middle of a packet. */
  unfinished: number;
  /** Captures whose turn had not come when reading was stopped. */
  unread: number;
  /** Packets given out after later ones of another file, because they came after the merge wait. */
  late: number;
}

export function emptyReport(): FollowReport {
  return {
    files: 0,
    leftOut: 0,
    refused: 0,
    copies: 0,
    vanished: 0,
    damaged: 0,
    unfinished: 0,
    unread: 0,
    late: 0,
  };
}
