/** What the sample uses of an embedded Node-RED 5, which ships without types. */
declare module 'node-red-5' {
  import type { Server } from 'node:http';
  import type { RequestListener } from 'node:http';

  interface SentEvent {
    readonly msg: { readonly topic?: unknown; readonly payload?: unknown };
    readonly source: { readonly node: { readonly type: string } };
  }
  interface LogEntry {
    readonly level: number;
    readonly type?: string;
    readonly msg: unknown;
  }
  interface Embedded {
    init(server: Server, settings: Record<string, unknown>): void;
    start(): Promise<void>;
    stop(): Promise<void>;
    readonly httpAdmin: RequestListener;
    readonly httpNode: RequestListener;
    readonly hooks: { add(name: string, hook: (events: SentEvent[]) => void): void };
    readonly events: { once(name: string, listener: () => void): void };
    readonly log: {
      readonly ERROR: number;
      addHandler(handler: { emit(event: 'log', entry: LogEntry): void }): void;
    };
    readonly version: () => string;
  }
  const embedded: Embedded;
  export = embedded;
}
