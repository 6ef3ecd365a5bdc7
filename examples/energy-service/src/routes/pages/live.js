// Keeps the measurements of a sensor's page up to date. When the socket says that something was measured, the page is fetched once
// more, and what it shows replaces what is shown: the service draws every picture. Without this script the page is the same, and
// stays as it was loaded.
'use strict';

{
  const status = document.getElementById('live-status');
  const path = status.dataset.live;

  // In this order: a part that contains another one stands for it where only one of the two pages has the inner one.
  const PARTS = ['#last', '#later', '#measured figure', '#measured table'];

  // What has the focus, and what is unfolded, stays: tables and pictures are replaced, not what is around them.
  const replace = fresh => {
    const pairs = PARTS.map(part => [document.querySelector(part), fresh.querySelector(part)]);
    if (pairs.some(([old, now]) => !old !== !now)) {
      document.getElementById('measured').replaceWith(fresh.getElementById('measured'));
      document.getElementById('last').replaceWith(fresh.getElementById('last'));
      return;
    }
    for (const [old, now] of pairs) {
      if (old) old.replaceWith(now);
    }
  };

  let isWaiting = false;
  let isStale = false;
  const update = async () => {
    isStale = true;
    if (isWaiting) return;
    isWaiting = true;
    while (isStale) {
      isStale = false;
      try {
        const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
        if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      } catch {
        // The next measurement tries again.
      }
      // At most one a second.
      await new Promise(done => setTimeout(done, 1000));
    }
    isWaiting = false;
  };

  const SHORTEST_WAIT = 1000;
  const LONGEST_WAIT = 60 * 1000;
  let wait = SHORTEST_WAIT;
  const follow = isAgain => {
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.onopen = () => {
      wait = SHORTEST_WAIT;
      status.textContent = 'Live: new measurements appear by themselves.';
      // Something may have been measured meanwhile.
      if (isAgain) update();
    };
    socket.onmessage = update;
    socket.onclose = ({ code }) => {
      if (code === 1008) {
        status.textContent = 'No longer live: you may not see these measurements any more.';
        return;
      }
      status.textContent = 'Not live at the moment.';
      setTimeout(follow, wait, true);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  };
  follow(false);
}
