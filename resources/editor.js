/**
 * What the edit dialogs of the eight node types share: the rules for their fields and the look of their forms.
 * Loaded by the HTML file of every node type, whichever comes first; it runs once.
 *
 * The rules are those of nodes/<type>/settings.ts, told while somebody types. The runtime checks again.
 */
(function () {
  if (window.directorySync) return;

  $('<link rel="stylesheet" href="resources/@dirflow/node-red-directory-sync/editor.css">').appendTo(document.head);

  /** Entries of a text list: separated by commas, semicolons, blanks or new lines. */
  const entries = (text) =>
    String(text ?? '')
      .split(/[\s,;]+/)
      .filter(Boolean);

  /** Lines of a text, such as distinguished names, which have commas in them. */
  const lines = (text) =>
    String(text ?? '')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean);

  /** The beginning of a distinguished name; the runtime parses all of it. */
  const isName = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+) *=/;
  const isId = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

  const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  const domainName = new RegExp(`^${label}(?:\\.${label})*\\.?$`);
  const bracketed = /^\[[0-9A-Fa-f:.]+\](?::(\d{1,5}))?$/;
  const attributeName = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;

  const isPort = (text) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

  /** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
  const isServer = (text) => {
    const address = bracketed.exec(text);
    if (address) return address[1] === undefined || isPort(address[1]);
    const [host, port, ...rest] = text.split(':');
    return rest.length === 0 && domainName.test(host) && (port === undefined || isPort(port));
  };

  const isHttpsUrl = (text) => {
    try {
      const url = new URL(text);
      return url.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
    } catch {
      return false;
    }
  };

  /** Is every parenthesis of an LDAP filter closed again (RFC 4515)? The directory judges the rest. */
  const isFilter = (text) => {
    const filter = text.trim();
    let depth = 0;
    for (const [index, character] of [...filter].entries()) {
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (depth < 0 || (depth === 0 && index < [...filter].length - 1)) return false;
    }
    return filter.startsWith('(') && depth === 0;
  };

  const rules = {
    filled: (value) => String(value ?? '').trim() !== '',
    wholeNumber: (least, most) => (value) =>
      /^\s*\d+\s*$/.test(String(value ?? '')) && Number(value) >= least && Number(value) <= most,
    servers: (value) => entries(value).length > 0 && entries(value).every(isServer),
    /** Servers, or the domain that is typed beside them. */
    serversOrDomain: (value, node) =>
      entries(value).every(isServer) &&
      (entries(value).length > 0 || String(window.directorySync.current(node, 'domain') ?? '').trim() !== ''),
    domain: (value) => String(value ?? '').trim() === '' || domainName.test(String(value).trim()),
    site: (value) => /^[A-Za-z0-9_-]*$/.test(String(value ?? '').trim()),
    names: (value) => lines(value).every((line) => isName.test(line)),
    namesOrIds: (value) => lines(value).every((line) => isName.test(line) || isId.test(line)),
    attributes: (value) => entries(value).every((name) => attributeName.test(name)),
    domains: (value) => entries(value).every((name) => domainName.test(name)),
    filter: (value) => isFilter(String(value ?? '')),
    httpsUrl: (value) => isHttpsUrl(String(value ?? '').trim()),
    path: (value) => /^\/[A-Za-z0-9._~/-]*$/.test(String(value ?? '').trim()),
    port: (value) => String(value ?? '').trim() === '' || isPort(String(value).trim()),
    keyId: (value) => /^[A-Za-z0-9._-]{1,64}$/.test(String(value ?? '').trim()),
    atMost: (length) => (value) => String(value ?? '').length <= length,
    /** A secret that was stored before comes to the editor as `__PWRD__`. */
    key: (value) => value === '__PWRD__' || String(value ?? '').length >= 32,
  };

  window.directorySync = {
    rules,
    entries,

    /**
     * A `validate` for the property: true, or the message `<type>.error.<property>` of the node's catalog.
     * `rule(value, node)` judges; it is called with the node that is being edited.
     */
    check(property, rule) {
      // Node-RED takes the message of a validator only if it declares both parameters.
      return function (value, _opt) {
        if (rule.call(this, value, this)) return true;
        const translate = this._ ?? this._def._;
        return translate(`${this._def.type}.error.${property}`);
      };
    },

    /** What stands in the form while a node is being edited, else what is stored in it. */
    current(node, property) {
      const prefix = node._def.category === 'config' ? '#node-config-input-' : '#node-input-';
      const field = $(prefix + property);
      if (field.length === 0) return node[property];
      return field.attr('type') === 'checkbox' ? field.prop('checked') : field.val();
    },

    /** Has a config node been chosen? */
    chosen: (value) => value !== undefined && value !== null && value !== '' && value !== '_ADD_',

    /** The label of a config node, or an empty text. */
    labelOf(id) {
      const node = id ? RED.nodes.node(id) : null;
      return node ? RED.utils.getNodeLabel(node, '') : '';
    },

    /** A new random key of 256 bits, as hexadecimal text. */
    newKey() {
      const bytes = crypto.getRandomValues(new Uint8Array(32));
      return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  };
})();
