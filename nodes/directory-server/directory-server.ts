/** Config node: where a directory is and how to log on. Keeps no connection; each run opens its own. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { directories, tlsOptions } from '../shared/offers.js';
import { runNode } from '../shared/wrap.js';
import { type ServerCredentials, type ServerSettings, serverSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryServer(this: Node<ServerCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    const given = ({ directory, tlsConfig }: ServerSettings) => ({ ...directory, tls: tlsOptions(RED, tlsConfig) });
    directories.make(this, () => given(serverSettings(config, this.credentials)));
    runNode(RED, this, () => {
      const { directory } = serverSettings(config, this.credentials);
      if (directory.encryption === 'none') this.warn(RED._('directory-server.warning.plain'));
      return {};
    });
  }
  RED.nodes.registerType<Node<ServerCredentials>, NodeDef, object, ServerCredentials>(
    'directory-server',
    DirectoryServer,
    {
      credentials: { user: { type: 'text' }, password: { type: 'password' } },
    },
  );
};
