/**
 * What config nodes offer to the nodes that refer to them, typed. Kept beside the nodes and not on them, so that what a
 * config node gives is what its user gets, without a cast.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Node, NodeAPI } from 'node-red';
import type { DirectorySettings } from '../../engine/ldap/settings.js';
import type { ProxySettings } from '../../engine/transport/agent.js';
import type { EndpointSettings } from '../../engine/transport/sender.js';
import type { Account } from '../../engine/account/account.js';
import { SettingError } from '../../engine/model/errors.js';
import type { ProxyConfigNode, TlsConfigNode } from './node-red.js';
import { settingInvalid, settingMissing } from './settings.js';

/** One kind of thing that config nodes of one type offer. */
export class Offers<Offer> {
  readonly #offers = new WeakMap<object, Offer>();

  constructor(private readonly setting: string) {}

  /** Called by the config node, in its constructor. */
  make(node: Node, offer: Offer): void {
    this.#offers.set(node, offer);
  }

  /** What the config node `id` offers to `node`. Throws `SettingError` where none is chosen, or it is not there. */
  take(RED: NodeAPI, node: Node, id: string): Offer {
    if (id === '') throw settingMissing(this.setting, node.type);
    const offer = this.#offers.get(found(RED, id, this.setting));
    if (offer === undefined) throw absent(this.setting);
    return offer;
  }
}

/** Both give what was parsed, or throw the `SettingError` that the config node itself reported at start. */
export const directories = new Offers<() => DirectorySettings>('server');
export const endpoints = new Offers<() => EndpointSettings>('endpoint');
/** Does some work with an account: opened for the first, shared by all, closed with its node. */
export type WithAccount = <Result>(work: (account: Account) => Promise<Result>) => Promise<Result>;
export const accounts = new Offers<WithAccount>('account');

/** Options from a core `tls-config` node; where none is chosen `{}`: certificates are verified, with the usual authorities. */
export function tlsOptions(RED: NodeAPI, id: string): ConnectionOptions {
  if (id === '') return {};
  const node = found(RED, id, 'tls');
  if (!isTlsConfig(node)) throw absent('tls');
  if (!node.valid) {
    throw new SettingError('TLS_CONFIG_INVALID', {
      message:
        'The TLS configuration could not read its certificate, key or CA. Open it, correct the files, and deploy.',
      status: 'tls is wrong',
      params: { setting: 'tls' },
    });
  }
  return node.addTLSOptions({});
}

/** The proxy of a core `http proxy` node on the way to `url`; null where none is chosen, or the node excepts that host. */
export function proxyOptions(RED: NodeAPI, id: string, url: string): ProxySettings | null {
  if (id === '') return null;
  const node = found(RED, id, 'proxy');
  if (!isProxyConfig(node)) throw absent('proxy');
  const { hostname } = new URL(url);
  const excepted = (node.noproxy ?? []).map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^\*?\./, ''),
  );
  if (excepted.some((name) => name !== '' && (hostname === name || hostname.endsWith(`.${name}`)))) return null;
  const proxy = URL.canParse(node.url) ? new URL(node.url) : null;
  if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:') {
    throw settingInvalid('proxy', 'The setting "proxy" of directory-endpoint leads to no http:// or https:// address.');
  }
  return { url: proxy, user: node.credentials.username ?? '', password: node.credentials.password ?? '' };
}

function isProxyConfig(node: Node): node is ProxyConfigNode {
  return node.type === 'http proxy' && 'url' in node;
}

function isTlsConfig(node: Node): node is TlsConfigNode {
  return node.type === 'tls-config' && 'addTLSOptions' in node;
}

/** The types say that there is always a node; there is none for one that is disabled or was deleted. */
function found(RED: NodeAPI, id: string, setting: string): Node {
  const node = RED.nodes.getNode(id) as Node | null | undefined;
  if (!node) throw absent(setting);
  return node;
}

function absent(setting: string): SettingError {
  return new SettingError('CONFIG_NODE_MISSING', {
    message: `The configuration chosen as "${setting}" is not there: it was deleted or disabled. Open the node, choose another, and deploy.`,
    status: `${setting} missing`,
    params: { setting },
  });
}
