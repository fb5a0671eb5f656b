import type {
  Connection,
  Endpoint,
  Exchange,
  HeaderField,
  RequestMessage,
  ResponseMessage,
  Sighting,
} from '../model/exchange.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { FieldRedactor } from './field-rules.ts';
import { HeadRedactor } from './heads.ts';
import { redactedInterfaceName } from './interface-names.ts';
import type { RedactionRules } from './rules.ts';
import { TargetRedactor } from './targets.ts';

/**
 * Redacts exchanges that were read from a store: the same values as in a redacted capture under the same key.
 * Numbers, times and sizes stay.
 */
export class ExchangeRedactor {
  readonly #rules: RedactionRules;
  readonly #targets: TargetRedactor;
  readonly #fields: FieldRedactor;
  readonly #heads: HeadRedactor;
  readonly #connections = new Map<Connection, Connection>();
  readonly #sightings = new WeakMap<Sighting, Sighting>();

  constructor(rules: RedactionRules) {
    this.#rules = rules;
    this.#targets = new TargetRedactor(rules);
    this.#fields = new FieldRedactor(rules, this.#targets);
    this.#heads = new HeadRedactor(rules, this.#targets, this.#fields);
  }

  exchange(exchange: Exchange): Exchange {
    const connection = this.#connection(exchange.connection);
    return {
      ...exchange,
      connection,
      client: this.#endpoint(exchange.client),
      server: this.#endpoint(exchange.server),
      request: exchange.request === null ? null : this.#request(exchange.request),
      response: exchange.response === null ? null : this.#response(exchange.response),
      sightings: exchange.sightings.map((one) => ({ ...one, at: this.#sighting(one.at) })),
    };
  }

  /** The connection at its end; nothing is remembered of it afterwards. */
  connection(connection: Connection): Connection {
    const redacted = this.#connection(connection);
    this.#connections.delete(connection);
    return Object.assign(redacted, connection, this.#ends(connection));
  }

  /** What is known of a capture: neither its name nor what people wrote into it. */
  capture(facts: CaptureFacts, index: number): CaptureFacts {
    this.#rules.replaced.add('capture names');
    return {
      ...facts,
      path: `capture-${index + 1}`,
      comments: [],
      commentsDropped: 0,
      interfaces: facts.interfaces.map((one) => ({
        ...one,
        name: redactedInterfaceName(one.name, this.#rules),
      })),
    };
  }

  #connection(connection: Connection): Connection {
    let redacted = this.#connections.get(connection);
    if (redacted === undefined) {
      redacted = { ...connection, ...this.#ends(connection) };
      this.#connections.set(connection, redacted);
    }
    return redacted;
  }

  #ends(connection: Connection): Pick<Connection, 'client' | 'server' | 'sightings'> {
    const { client, server, sightings } = connection;
    return {
      client: this.#endpoint(client),
      server: this.#endpoint(server),
      sightings: sightings.map((one) => this.#sighting(one)),
    };
  }

  /** The same object each time: a store finds the place of an exchange's sighting by it. */
  #sighting(sighting: Sighting): Sighting {
    let redacted = this.#sightings.get(sighting);
    if (redacted === undefined) {
      const { client, server } = sighting;
      redacted = { ...sighting, client: this.#endpoint(client), server: this.#endpoint(server) };
      this.#sightings.set(sighting, redacted);
    }
    return redacted;
  }

  #endpoint(endpoint: Endpoint): Endpoint {
    const address = this.#rules.addresses.text(endpoint.address) ?? this.#rules.mask(endpoint.address);
    const text = address.includes(':') ? `[${address}]:${endpoint.port}` : `${address}:${endpoint.port}`;
    return { address, port: endpoint.port, text };
  }

  #request(request: RequestMessage): RequestMessage {
    return {
      ...this.#message(request),
      method: asBytes(request.method, (text) => this.#heads.method(text)),
      target: asBytes(request.target, (text) => this.#targets.target(text)),
      host: this.#field('host', request.host),
      userAgent: this.#field('user-agent', request.userAgent),
    };
  }

  #response(response: ResponseMessage): ResponseMessage {
    return {
      ...this.#message(response),
      status: response.status,
      reason: asBytes(response.reason, (text) => this.#heads.reason(text)),
    };
  }

  /** Copied field by field: a message may be an object whose parts are computed. */
  #message<T extends RequestMessage | ResponseMessage>(message: T): T {
    return {
      ...message,
      version: message.version,
      firstByteNs: message.firstByteNs,
      lastByteNs: message.lastByteNs,
      packet: message.packet,
      capture: message.capture,
      direction: message.direction,
      startOffset: message.startOffset,
      endOffset: message.endOffset,
      headerBytes: message.headerBytes,
      bodyBytes: message.bodyBytes,
      lostBytes: message.lostBytes,
      mediaType: this.#field('content-type', message.mediaType),
      headers: message.headers.map((field) => this.#header(field)),
    };
  }

  #header({ name, value }: HeaderField): HeaderField {
    return { name: this.#rules.name(name), value: this.#field(name, value) ?? '' };
  }

  #field(name: string, value: string | null): string | null {
    return value === null ? null : asBytes(value, (text) => this.#fields.value(name, text));
  }
}

/** Redactors work on bytes: a text goes through them as its UTF-8. */
function asBytes(text: string, redact: (bytes: string) => string): string {
  const bytes = Buffer.from(text).toString('latin1');
  return Buffer.from(redact(bytes), 'latin1').toString();
}
