/** What a node shows under itself. Texts are keys of the node's catalog, `<type>.status.<key>`. */
import type { Node, NodeAPI, NodeStatusFill, NodeStatusShape } from 'node-red';
import type { DirectorySyncError } from '../../engine/model/errors.js';

/** Values for a text's placeholders; numbers are written with the digits grouped. */
export type StatusValues = Readonly<Record<string, string | number>>;

const ONCE_IN_MS = 1_000;

export class StatusLine {
  #shownAt = 0;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
  ) {}

  /** Work under way: a blue dot. At most once a second, what comes between is not shown. */
  busy(key: string, values: StatusValues = {}): void {
    if (Date.now() - this.#shownAt < ONCE_IN_MS) return;
    this.#shownAt = Date.now();
    this.#show('blue', 'dot', this.#text(key, values));
  }

  /** Ready, or ended well: a green dot. */
  good(key: string, values: StatusValues = {}): void {
    this.#last('green', 'dot', this.#text(key, values));
  }

  /** Ended, but somebody should look: a yellow ring. */
  notice(key: string, values: StatusValues = {}): void {
    this.#last('yellow', 'ring', this.#text(key, values));
  }

  /** A red ring with the error's own short text. */
  failed(error: DirectorySyncError): void {
    this.#last('red', 'ring', error.status);
  }

  clear(): void {
    this.#shownAt = 0;
    this.node.status({});
  }

  /** What ends some work is always shown, and so is the first of the next. */
  #last(fill: NodeStatusFill, shape: NodeStatusShape, text: string): void {
    this.#shownAt = 0;
    this.#show(fill, shape, text);
  }

  #show(fill: NodeStatusFill, shape: NodeStatusShape, text: string): void {
    this.node.status({ fill, shape, text });
  }

  #text(key: string, values: StatusValues): string {
    const language = this.RED.settings.lang ?? 'en-US';
    const written = Object.entries(values).map(([name, value]): [string, string] => [
      name,
      typeof value === 'number' ? value.toLocaleString(language) : value,
    ]);
    return this.RED._(`${this.node.type}.status.${key}`, Object.fromEntries(written));
  }
}
