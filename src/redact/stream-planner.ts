import type { Frame } from '../decode/frame.ts';
import type { Connection } from '../model/exchange.ts';
import type { Packet } from '../model/packet.ts';
import type { Direction, SegmentSighting, StreamConsumer } from '../model/stream.ts';
import { DirectionPlanner } from './direction-planner.ts';
import { packetKey } from './packet-key.ts';
import type { PlanningContext } from './planning-context.ts';
import { Roles } from './roles.ts';

interface EarlySegment {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly packet: number;
}

interface ConnectionPlanners {
  readonly directions: readonly [DirectionPlanner, DirectionPlanner];
  /** Segments that came before bytes in front of them, in copies. */
  readonly early: readonly [EarlySegment[], EarlySegment[]];
}

/** What a further run needs to find its way in a plan. */
export interface StreamFindings {
  readonly roles: Roles;
  /** Places in the stream where a packet has other bytes than those that were delivered, by packet. */
  readonly conflicts: ReadonlyMap<number, readonly number[]>;
  /** Segments that were not compared, because too many waited. */
  readonly uncompared: number;
}

/** Stands in place of the HTTP parser and plans what every byte of every connection becomes. */
export class StreamPlanner {
  readonly #context: PlanningContext;
  readonly #connections = new Map<number, ConnectionPlanners>();
  readonly #roles = new Roles();
  readonly #conflicts = new Map<number, number[]>();
  #earlyBytes = 0;
  #uncompared = 0;

  constructor(context: PlanningContext) {
    this.#context = context;
  }

  get findings(): StreamFindings {
    return { roles: this.#roles, conflicts: this.#conflicts, uncompared: this.#uncompared };
  }

  /** A StreamTap: the consumer that was meant for the bytes gets none. */
  tap = (connection: Connection): StreamConsumer => {
    const { directions, early } = this.#planners(connection.id);
    return {
      data: (direction, bytes, start, end, offset) => {
        directions[direction].data(bytes, start, end, offset);
        if (early[direction].length > 0) this.#compare(early[direction], bytes, start, end, offset);
      },
      gap: (direction, offset, length) => {
        directions[direction].gap(offset, length);
        this.#drop(early[direction], offset + length);
      },
      fin: () => {},
      reset: () => {},
      anomaly: () => {},
      finish: () => {
        for (const one of directions) one.finish();
        for (const one of early) this.#drop(one, Number.POSITIVE_INFINITY);
        this.#connections.delete(connection.id);
      },
    };
  };

  /** To be told of every segment, with the frame of its packet. */
  segment(sighting: SegmentSighting, frame: Frame): void {
    const { connection, direction, offset, start, end, bytes, packet } = sighting;
    // The frame of a late one is gone, and may have had other addresses.
    if (!sighting.late) this.#roles.note(connection.id, frame, direction);
    if (end <= start || bytes !== packet.bytes) return;
    const planners = this.#planners(connection.id);
    if (offset + (end - start) <= planners.directions[direction].reached) return;
    this.#keepEarly(planners.early[direction], packet, { offset, bytes: bytes.subarray(start, end) });
  }

  #planners(connection: number): ConnectionPlanners {
    let planners = this.#connections.get(connection);
    if (planners === undefined) {
      const planner = (direction: Direction): DirectionPlanner =>
        new DirectionPlanner(this.#context, connection, direction);
      planners = { directions: [planner(0), planner(1)], early: [[], []] };
      this.#connections.set(connection, planners);
    }
    return planners;
  }

  #keepEarly(early: EarlySegment[], packet: Packet, segment: { offset: number; bytes: Uint8Array }): void {
    if (this.#earlyBytes + segment.bytes.length > this.#context.limits.earlyBytes) {
      this.#uncompared += 1;
      return;
    }
    this.#earlyBytes += segment.bytes.length;
    early.push({ offset: segment.offset, bytes: segment.bytes.slice(), packet: packetKey(packet) });
  }

  /** Notes where early segments differ from what was delivered. */
  #compare(early: EarlySegment[], bytes: Uint8Array, start: number, end: number, offset: number): void {
    const reach = offset + (end - start);
    for (const segment of early) {
      const from = Math.max(offset, segment.offset);
      const to = Math.min(reach, segment.offset + segment.bytes.length);
      for (let place = from; place < to; place += 1) {
        if (bytes[start + place - offset] === segment.bytes[place - segment.offset]) continue;
        const places = this.#conflicts.get(segment.packet);
        if (places === undefined) this.#conflicts.set(segment.packet, [place]);
        else places.push(place);
      }
    }
    this.#drop(early, reach);
  }

  /** Forgets segments that end at or before `reach`. */
  #drop(early: EarlySegment[], reach: number): void {
    let kept = 0;
    for (const segment of early) {
      if (segment.offset + segment.bytes.length > reach) early[kept++] = segment;
      else this.#earlyBytes -= segment.bytes.length;
    }
    early.length = kept;
  }
}
