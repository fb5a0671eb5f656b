/** What is kept of one request. */
export interface LoggedRequest {
  /** Number of its place, from 0; see RequestLog. */
  place: number;
  /** ns since the run's epoch. */
  startNs: number;
  /** NaN: not known. */
  durationNs: number;
  /** Head and body of the response; NaN without one. */
  responseBytes: number;
  /** NO_ANSWER, NO_STATUS or the code. */
  status: number;
}

const FIRST_CAPACITY = 1024;

/**
 * Requests of one side in the order in which they ended, a row each. Every request belongs to a place: a group
 * whose name is not known before the last request was seen. When there is no room for more, the places that have
 * more rows than others keep only every second one.
 */
export class RequestLog {
  readonly #limit: number;
  /** Rows. */
  length = 0;
  places = new Int32Array(FIRST_CAPACITY);
  startsNs = new Float64Array(FIRST_CAPACITY);
  durationsNs = new Float64Array(FIRST_CAPACITY);
  responseBytes = new Float64Array(FIRST_CAPACITY);
  statuses = new Int16Array(FIRST_CAPACITY);
  /** By place: one of so many requests has a row; 1, 2, 4 … */
  readonly strides: number[] = [];
  /** By place: requests so far. */
  readonly requests: number[] = [];

  /** `limit`: most rows. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A new place; its number. */
  addPlace(): number {
    this.requests.push(0);
    this.strides.push(1);
    return this.requests.length - 1;
  }

  add(request: LoggedRequest): void {
    const { place } = request;
    const before = this.requests[place];
    this.requests[place] = before + 1;
    if (before % this.strides[place] !== 0) return;
    if (this.length === this.#limit) {
      this.#thinOut();
      if (before % this.strides[place] !== 0) return;
    }
    if (this.length === this.places.length) this.#grow(Math.min(this.#limit, 2 * this.length));
    const row = this.length;
    this.places[row] = place;
    this.startsNs[row] = request.startNs;
    this.durationsNs[row] = request.durationNs;
    this.responseBytes[row] = request.responseBytes;
    this.statuses[row] = request.status;
    this.length += 1;
  }

  /** Halves the places that have at least the mean number of rows: at least a quarter of all rows goes. */
  #thinOut(): void {
    const rowsOf = new Float64Array(this.requests.length);
    for (let row = 0; row < this.length; row += 1) rowsOf[this.places[row]] += 1;
    const mean = this.length / rowsOf.filter((rows) => rows > 0).length;
    const seen = new Float64Array(rowsOf.length);
    let next = 0;
    for (let row = 0; row < this.length; row += 1) {
      const place = this.places[row];
      const thinned = rowsOf[place] >= Math.max(2, mean);
      seen[place] += 1;
      if (thinned && seen[place] % 2 === 0) continue;
      this.places[next] = place;
      this.startsNs[next] = this.startsNs[row];
      this.durationsNs[next] = this.durationsNs[row];
      this.responseBytes[next] = this.responseBytes[row];
      this.statuses[next] = this.statuses[row];
      next += 1;
    }
    rowsOf.forEach((rows, place) => {
      if (rows >= Math.max(2, mean)) this.strides[place] *= 2;
    });
    this.length = next;
  }

  #grow(capacity: number): void {
    const grown = <T extends Int32Array | Float64Array | Int16Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.places = grown(this.places, new Int32Array(capacity));
    this.startsNs = grown(this.startsNs, new Float64Array(capacity));
    this.durationsNs = grown(this.durationsNs, new Float64Array(capacity));
    this.responseBytes = grown(this.responseBytes, new Float64Array(capacity));
    this.statuses = grown(this.statuses, new Int16Array(capacity));
  }
}
