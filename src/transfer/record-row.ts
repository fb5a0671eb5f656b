import { UserError } from '../model/errors.ts';
import { pathOf } from '../model/route.ts';
import { type BatchValue, misplaced } from './batch-builder.ts';
import { splitEndpoint } from './endpoint-text.ts';
import { type Instant, parseInstant } from './instant.ts';
import { FORM_WORDS, formText, type JsonForm } from './json-forms.ts';

/** The version of the JSON record that is understood: its field `v`, docs/json-record.md. */
const RECORD_VERSION = 1;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The row of a record in JSON form. What a column may hold is not checked here, only that there is a value to take.
 * Throws UserError, blaming `row`; `place.column` is then the member's path.
 */
export function recordRow(record: unknown, row: number): Record<string, BatchValue> {
  return new RecordReader(record, row).row();
}

class RecordReader {
  readonly #record: JsonObject;
  readonly #row: number;

  constructor(record: unknown, row: number) {
    this.#row = row;
    this.#record = this.#object(record, 'line');
    const version = this.#member(this.#record, 'v') ?? RECORD_VERSION;
    if (version !== RECORD_VERSION) {
      throw new UserError('unknown-version', `a record of another version than ${RECORD_VERSION}`, {
        place: { row },
        hint: 'upgrade the server before the agents',
      });
    }
  }

  row(): Record<string, BatchValue> {
    const record = this.#record;
    const request = this.#objectOrNull('request');
    const response = this.#objectOrNull('response');
    const tcp = this.#objectOrNull('tcp');
    const instant = this.#instant(this.#text(record, 'time'), 'time');
    const client = this.#endpoint('client');
    const server = this.#endpoint('server');
    const target = this.#textOrNull(record, 'target');
    const anomalies = this.#list(record, 'anomalies');
    const sightings = this.#list(record, 'sightings');
    return {
      started_us: instant.seconds * 1e6 + Math.floor(instant.ns / 1000),
      started_ns: instant.ns % 1000,
      connection_id: this.#numberOrNull(record, 'connection') ?? 0,
      position: this.#numberOrNull(record, 'position') ?? 1,
      client: client.address,
      client_port: client.port,
      server: server.address,
      server_port: server.port,
      method: this.#textOrNull(record, 'method'),
      host: this.#textOrNull(record, 'host'),
      target,
      path: target === null ? null : pathOf(target),
      route: this.#textOrNull(record, 'route'),
      http_version: this.#textOrNull(record, 'http_version'),
      response_http_version: this.#textOrNull(response, 'http_version'),
      // An answer of HTTP/0.9 has no status, and the columns say 0.
      status: this.#numberOrNull(record, 'status') ?? (response === null ? null : 0),
      reason: this.#textOrNull(record, 'reason'),
      outcome: this.#text(record, 'outcome'),
      ending: this.#textOrNull(record, 'ending'),
      pairing: this.#text(record, 'pairing'),
      connect_ms: this.#numberOrNull(record, 'connect_ms'),
      send_ms: this.#numberOrNull(record, 'send_ms'),
      wait_ms: this.#numberOrNull(record, 'wait_ms'),
      receive_ms: this.#numberOrNull(record, 'receive_ms'),
      total_ms: this.#numberOrNull(record, 'total_ms'),
      ...this.#message('request', request),
      ...this.#message('response', response),
      user_agent: this.#textOrNull(request, 'user_agent'),
      interim: this.#interim(instant),
      request_retransmissions: this.#numberOrNull(tcp, 'request_retransmissions') ?? 0,
      response_retransmissions: this.#numberOrNull(tcp, 'response_retransmissions') ?? 0,
      request_out_of_order: this.#numberOrNull(tcp, 'request_out_of_order') ?? 0,
      response_out_of_order: this.#numberOrNull(tcp, 'response_out_of_order') ?? 0,
      client_zero_windows: this.#numberOrNull(tcp, 'client_zero_windows') ?? 0,
      server_zero_windows: this.#numberOrNull(tcp, 'server_zero_windows') ?? 0,
      anomaly_count: anomalies.length,
      places: Math.max(1, sightings.length),
      uid: this.#textOrNull(record, 'uid'),
      anomalies: this.#form('anomalies', anomalies, 'anomalies'),
      vlans: this.#form('vlans', this.#list(record, 'vlans'), 'vlans'),
      tunnels: this.#form('tunnels', this.#list(record, 'tunnels'), 'tunnels'),
      sightings: this.#form('sightings', sightings, 'sightings'),
    };
  }

  #message(side: 'request' | 'response', message: JsonObject | null): Record<string, BatchValue> {
    const fields = this.#list(message, 'headers');
    const pairs = fields.map((field) => {
      const { name, value } = (field ?? {}) as { name?: unknown; value?: unknown };
      return [name, value];
    });
    return {
      [`${side}_header_bytes`]: this.#numberOrNull(message, 'header_bytes'),
      [`${side}_body_bytes`]: this.#numberOrNull(message, 'body_bytes'),
      [`${side}_media_type`]: this.#textOrNull(message, 'media_type'),
      [`${side}_headers`]: this.#form('headers', pairs, `${side}.headers`),
      [`${side}_capture`]: this.#numberOrNull(message, 'capture'),
      [`${side}_packet`]: this.#numberOrNull(message, 'packet'),
      [`${side}_lost_bytes`]: this.#numberOrNull(message, 'lost_bytes'),
    };
  }

  /** Times become ns after the exchange's beginning. */
  #interim(began: Instant): string | null {
    const responses = this.#list(this.#record, 'interim').map((one) => {
      const object = this.#object(one, 'interim');
      const at = this.#instant(this.#text(object, 'time'), 'interim');
      return {
        status: this.#member(object, 'status'),
        after_ns: (at.seconds - began.seconds) * 1e9 + (at.ns - began.ns),
      };
    });
    return this.#form('interim', responses, 'interim');
  }

  #form(form: JsonForm, values: readonly unknown[], path: string): string | null {
    if (values.length === 0) return null;
    const text = formText(form, values);
    if (text === null) throw this.#mistake(path, `this is not ${FORM_WORDS[form]}`);
    return text;
  }

  #instant(text: string, path: string): Instant {
    const instant = parseInstant(text);
    if (instant === null) throw this.#mistake(path, 'this is not a time of RFC 3339');
    return instant;
  }

  #endpoint(name: string): { address: string; port: number } {
    const found = splitEndpoint(this.#text(this.#record, name));
    if (found === null) throw this.#mistake(name, 'this is not an address with a port');
    return found;
  }

  #text(from: JsonObject, name: string): string {
    const text = this.#textOrNull(from, name);
    if (text === null) throw this.#mistake(name, 'there is no value');
    return text;
  }

  #textOrNull(from: JsonObject | null, name: string): string | null {
    const value = from === null ? null : this.#member(from, name);
    if (value === null || typeof value === 'string') return value;
    throw this.#mistake(name, 'this is not a text');
  }

  #numberOrNull(from: JsonObject | null, name: string): number | null {
    const value = from === null ? null : this.#member(from, name);
    if (value === null || typeof value === 'number') return value;
    throw this.#mistake(name, 'this is not a number');
  }

  #list(from: JsonObject | null, name: string): readonly unknown[] {
    const value = from === null ? null : this.#member(from, name);
    if (value === null) return [];
    if (Array.isArray(value)) return value;
    throw this.#mistake(name, 'this is not an array');
  }

  #objectOrNull(name: string): JsonObject | null {
    const value = this.#member(this.#record, name);
    return value === null ? null : this.#object(value, name);
  }

  #object(value: unknown, path: string): JsonObject {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw this.#mistake(path, 'this is not an object');
  }

  /** null: it is null, or missing. */
  #member(from: JsonObject, name: string): unknown {
    return Object.hasOwn(from, name) ? from[name] : null;
  }

  #mistake(name: string, what: string): UserError {
    return misplaced(this.#row, { name }, what);
  }
}
