/**
 * The example flow, with the settings filled in that an operator would fill in: where the directory is, which certificates
 * to trust, where the account is kept. Everything else is the file that Node-RED's import menu offers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A node of a flow file. */
interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The settings to fill in. */
export interface FlowSettings {
  readonly directory: {
    readonly servers: string;
    readonly encryption: string;
    readonly user: string;
    readonly password: string;
    readonly base: string;
    /** File with the certificate authority, or '' for the public ones. */
    readonly caFile: string;
  };
  /** Name of the source in the account. */
  readonly source: string;
  readonly receiver: {
    readonly port: number;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly key: string;
  };
  readonly account: { readonly file: string; readonly domains: string };
}

const EXAMPLE = join(__dirname, '..', '..', 'examples', '01 - End-to-end sync.json');

/** The example flow with `settings` filled in, credentials included, ready to be deployed. */
export function exampleFlow(settings: FlowSettings): FlowNode[] {
  const flow = JSON.parse(readFileSync(EXAMPLE, 'utf8')) as FlowNode[];
  const { directory, receiver, account } = settings;

  const server = only(flow, 'directory-server');
  Object.assign(server, { servers: directory.servers, encryption: directory.encryption, base: directory.base });
  server['credentials'] = { user: directory.user, password: directory.password };
  Object.assign(tlsOf(flow, server), { ca: directory.caFile });
  only(flow, 'directory-extract')['source'] = settings.source;

  const endpoint = only(flow, 'directory-endpoint');
  endpoint['url'] = `https://localhost:${String(receiver.port)}/directory-sync`;
  endpoint['credentials'] = { key: receiver.key };
  Object.assign(tlsOf(flow, endpoint), { ca: receiver.caFile });

  const receive = only(flow, 'directory-receive');
  Object.assign(receive, { port: String(receiver.port), host: '127.0.0.1', keyId: endpoint['keyId'] });
  receive['credentials'] = { key: receiver.key };
  Object.assign(tlsOf(flow, receive), { cert: receiver.certFile, key: receiver.keyFile });

  Object.assign(only(flow, 'directory-account'), { file: account.file, domains: account.domains });
  return flow;
}

/** The id of the flow's inject node: what starts a run. */
export function injectNodeId(flow: readonly FlowNode[]): string {
  return only(flow, 'inject').id;
}

function only(flow: readonly FlowNode[], type: string): FlowNode {
  const found = flow.filter((node) => node.type === type);
  const [node] = found;
  if (node === undefined || found.length > 1) {
    throw new Error(`The example flow should have one ${type} node, and has ${String(found.length)}.`);
  }
  return node;
}

function tlsOf(flow: readonly FlowNode[], node: FlowNode): FlowNode {
  const tls = flow.find(({ id }) => id === node['tls']);
  if (tls === undefined) throw new Error(`The ${node.type} node of the example flow refers to no tls-config node.`);
  return tls;
}
