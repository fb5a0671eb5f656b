import type { Exchange, Message } from '../model/exchange.ts';
import type { Field } from './field.ts';
import { bytesField, column, numberField, textField } from './field-kinds.ts';

type Side = 'request' | 'response';

const EXAMPLES: Readonly<Record<Side, Readonly<Record<string, string>>>> = {
  request: {
    bytes: 'request.bytes > 1MB',
    header: 'request.header_bytes > 8KiB',
    body: 'request.body_bytes >= 64KiB',
    lost: 'request.lost_bytes > 0B',
    media: 'request.media_type == "application/json"',
    packet: 'request.packet in 1000..2000',
    retransmissions: 'request.retransmissions > 0',
    order: 'request.out_of_order > 0',
  },
  response: {
    bytes: 'response.bytes > 10MiB',
    header: 'response.header_bytes > 8KiB',
    body: 'response.body_bytes == 0B',
    lost: 'response.lost_bytes > 0B',
    media: 'response.media_type startsWith "image/"',
    packet: 'response.packet == 42',
    retransmissions: 'response.retransmissions >= 3',
    order: 'response.out_of_order > 0',
  },
};

/** What requests and responses have in common. */
export function messageFields(side: Side): readonly Field[] {
  const example = EXAMPLES[side];
  const missing = side === 'request' ? 'missing when the request is unknown' : 'missing without a response';
  const of = (exchange: Exchange): Message | null => exchange[side];
  const number =
    (pick: (message: Message) => number) =>
    (exchange: Exchange): number | null => {
      const message = of(exchange);
      return message === null ? null : pick(message);
    };
  const headerColumn = column(`${side}_header_bytes`);
  const bodyColumn = column(`${side}_body_bytes`);
  const [retransmissions, outOfOrder] =
    side === 'request'
      ? (['requestRetransmissions', 'requestOutOfOrder'] as const)
      : (['responseRetransmissions', 'responseOutOfOrder'] as const);
  return [
    bytesField(
      `${side}.bytes`,
      `head and body of the ${side} on the wire; ${missing}`,
      example.bytes,
      (view) => `(${headerColumn(view)} + ${bodyColumn(view)})`,
      number(({ headerBytes, bodyBytes }) => headerBytes + bodyBytes),
    ),
    bytesField(
      `${side}.header_bytes`,
      `start line and header section of the ${side}, as sent; ${missing}`,
      example.header,
      headerColumn,
      number(({ headerBytes }) => headerBytes),
    ),
    bytesField(
      `${side}.body_bytes`,
      `body of the ${side} on the wire, chunk framing included; ${missing}`,
      example.body,
      bodyColumn,
      number(({ bodyBytes }) => bodyBytes),
    ),
    bytesField(
      `${side}.lost_bytes`,
      `bytes of the ${side} that the capture does not hold; ${missing}`,
      example.lost,
      column(`${side}_lost_bytes`),
      number(({ lostBytes }) => lostBytes),
    ),
    textField(
      'text',
      `${side}.media_type`,
      `Content-Type of the ${side} without parameters, lower case; missing without that field`,
      example.media,
      column(`${side}_media_type`),
      (exchange) => of(exchange)?.mediaType ?? null,
    ),
    numberField(
      `${side}.packet`,
      `number of the packet with the first byte of the ${side}, as Wireshark counts; ${missing}`,
      example.packet,
      column(`${side}_packet`),
      number(({ packet }) => packet),
      { groupable: false },
    ),
    numberField(
      `${side}.retransmissions`,
      `segments of the ${side} that were sent again`,
      example.retransmissions,
      column(`${side}_retransmissions`),
      ({ tcp }) => tcp[retransmissions],
    ),
    numberField(
      `${side}.out_of_order`,
      `segments of the ${side} that came out of order`,
      example.order,
      column(`${side}_out_of_order`),
      ({ tcp }) => tcp[outOfOrder],
    ),
  ];
}
