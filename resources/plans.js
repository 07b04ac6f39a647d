/** The dialog of directory-apply: plans that wait for approval, what each would change, and the decision about it. */
(function () {
  const ajax = (method, url) => $.ajax({ method, url, dataType: 'json' });
  const line = (className, text) => $('<div>').addClass(className).text(text);
  const written = (value) => (value === null || value === undefined ? '' : JSON.stringify(value));

  /** What went wrong, in words: of the route, or of Node-RED before it. */
  const failureOf = (texts, { status, responseJSON }) => {
    if (status === 401) return texts.notAllowed;
    if (responseJSON?.code === 'NODE_MISSING') return texts.notDeployed;
    return responseJSON?.message ?? texts.noAnswer;
  };

  const changeLine = ({ kind, id, change, what, before, after }) => {
    const values = before === null && after === null ? '' : `: ${written(before)} → ${written(after)}`;
    return line('directory-sync-change', `${change} ${kind} ${id}${what === null ? '' : ` ${what}`}${values}`);
  };

  const button = (text, work) =>
    $('<button type="button" class="red-ui-button red-ui-button-small">').text(text).on('click', work);

  window.directorySyncPlans = { show: showPlans };

  /**
   * Fills `box` with the plans of the node that wait. `texts`: none, show, approve, reject, changes (a function of their
   * number), decided (of the outcome), notAllowed, notDeployed, noAnswer.
   */
  function showPlans(box, nodeId, texts) {
    const root = `directory-sync/apply/${encodeURIComponent(nodeId)}/plans`;
    const said = (text) => box.empty().append(line('directory-sync-plan-said', text));

    const planBox = ({ plan, source, at, changes, holds }) => {
      const path = `${root}/${encodeURIComponent(plan)}`;
      const shown = $('<div class="directory-sync-changes">').hide();
      const answer = line('directory-sync-plan-said', '').hide();
      const failed = (failure) => answer.text(failureOf(texts, failure)).show();
      const buttons = $('<div class="directory-sync-plan-buttons">');
      const decide = (verdict) => () => {
        buttons.find('button').prop('disabled', true);
        ajax('POST', `${path}/${verdict}`)
          .done((report) => load().always(() => RED.notify(texts.decided(report.outcome), 'success')))
          .fail((failure) => {
            buttons.find('button').prop('disabled', false);
            failed(failure);
          });
      };
      const show = () =>
        ajax('GET', path)
          .done((list) => shown.empty().append(list.map(changeLine)).show())
          .fail(failed);
      buttons.append(
        button(texts.show, show),
        button(texts.approve, decide('approve')),
        button(texts.reject, decide('reject')),
      );
      return $('<div class="directory-sync-plan">').append(
        line('directory-sync-plan-title', `${source}, ${new Date(at).toLocaleString()}: ${texts.changes(changes)}`),
        holds.map(({ message }) => line('directory-sync-plan-hold', message)),
        line('directory-sync-plan-digest', plan),
        buttons,
        answer,
        shown,
      );
    };

    const load = () =>
      ajax('GET', root)
        .done((plans) => {
          if (plans.length === 0) said(texts.none);
          else box.empty().append(plans.map(planBox));
        })
        .fail((failure) => said(failureOf(texts, failure)));
    // A node that was not deployed yet has no plans, and Node-RED knows nothing of it.
    if ((RED.nodes.originalFlow() ?? []).some(({ id }) => id === nodeId)) load();
    else said(texts.notDeployed);
  }
})();
