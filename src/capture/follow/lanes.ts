import type { FollowedFile } from './file.ts';
import type { FollowMember } from './member.ts';

/**
 * Files of one target that follow each other. Their interfaces keep their numbers from file to file, because a
 * packet seen on two interfaces is one packet, and a packet sent again after a rotation is not.
 */
export interface Lane {
  readonly interfaceNumbers: number[];
  /** The file that was last read in it. */
  member: FollowMember | null;
}

/** The lanes of all targets. */
export class FollowLanes {
  readonly #lanes = new Map<number, Lane[]>();
  #interfaces = 0;

  /** The lane of a file that was over before this one began, or a new one. `firstNs`: since the run's epoch. */
  take(file: FollowedFile, firstNs: number): Lane {
    const lanes = this.#lanes.get(file.target) ?? [];
    this.#lanes.set(file.target, lanes);
    const free = lanes.find(({ member }) => {
      if (member === null || member.file === file || member.ended) return true;
      return !member.hasHead && member.lastNs !== null && member.lastNs <= firstNs;
    });
    if (free !== undefined) return free;
    const lane: Lane = { interfaceNumbers: [], member: null };
    lanes.push(lane);
    return lane;
  }

  /** Gives the interface numbers of a lane in their order, and new ones after them. */
  numbersOf({ interfaceNumbers }: Lane): () => number {
    let taken = 0;
    return () => {
      interfaceNumbers[taken] ??= this.#interfaces++;
      return interfaceNumbers[taken++] as number;
    };
  }
}
