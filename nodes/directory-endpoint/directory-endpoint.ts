/** Config node: where a receiver is and how to prove who we are. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { dataFolder } from '../shared/folder.js';
import { endpoints, proxyOptions, tlsOptions } from '../shared/offers.js';
import { runNode } from '../shared/wrap.js';
import { type EndpointCredentials, endpointSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryEndpoint(this: Node<EndpointCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    endpoints.make(this, () => {
      const { endpoint, tlsConfig, proxyConfig } = endpointSettings(config, this.credentials);
      const tls = tlsOptions(RED, tlsConfig);
      return { ...endpoint, tls, proxy: proxyOptions(RED, proxyConfig, endpoint.url), spoolFolder: dataFolder(RED) };
    });
    runNode(RED, this, () => {
      endpointSettings(config, this.credentials);
      return {};
    });
  }
  RED.nodes.registerType<Node<EndpointCredentials>, NodeDef, object, EndpointCredentials>(
    'directory-endpoint',
    DirectoryEndpoint,
    { credentials: { key: { type: 'password' }, token: { type: 'password' }, clientSecret: { type: 'password' } } },
  );
};
