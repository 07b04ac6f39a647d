/** Config node: where a receiver is and how to prove who we are. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { endpoints, tlsOptions } from '../shared/offers.js';
import { runNode } from '../shared/wrap.js';
import { type EndpointCredentials, endpointSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryEndpoint(this: Node<EndpointCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    endpoints.make(this, () => {
      const { endpoint, tlsConfig } = endpointSettings(config, this.credentials);
      return { ...endpoint, tls: tlsOptions(RED, tlsConfig) };
    });
    runNode(RED, this, () => {
      endpointSettings(config, this.credentials);
      return {};
    });
  }
  RED.nodes.registerType<Node<EndpointCredentials>, NodeDef, object, EndpointCredentials>(
    'directory-endpoint',
    DirectoryEndpoint,
    { credentials: { key: { type: 'password' } } },
  );
};
