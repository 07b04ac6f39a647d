/** What @types/node-red leaves out of the parts of Node-RED that we use. */
import type { ConnectionOptions } from 'node:tls';
import type { Node } from 'node-red';

declare module '@node-red/runtime' {
  interface LocalSettings {
    /** The language of the runtime's own texts, such as `de`. */
    lang?: string;
  }
}

/** The core `http proxy` node. `noproxy`: hosts that are reached without it. */
export interface ProxyConfigNode extends Node<{ username?: string; password?: string }> {
  readonly url: string;
  readonly noproxy?: readonly string[];
}

/** The core `tls-config` node. `valid` is false where its files could not be read: it then adds no certificates. */
export interface TlsConfigNode extends Node {
  readonly valid: boolean;
  addTLSOptions(options: ConnectionOptions): ConnectionOptions;
}
