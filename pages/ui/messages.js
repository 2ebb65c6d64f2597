// Ahead of Streamlit's own script, in the front page: what its server sends in one piece is heard in one piece.
//
// A run is some fifty messages. Left alone, Streamlit begins to draw its page anew after the first ones, which only say
// that a run has begun, then with a part of what was drawn, and once more at the end. Here a message waits until no
// other has come for a moment; all of them are handed on in a row, and the page is drawn once. A page that has nothing
// to be drawn anew hears them as they come: so it begins sooner to fetch what it is drawn with.
{
  const QUIET = 3, LONGEST = 30;  // ms without a message that end a piece; how long the first of one waits at most
  const listen = WebSocket.prototype.addEventListener;

  WebSocket.prototype.addEventListener = function (type, hear, ...options) {
    if (type !== "message" || !this.url.includes("/_stcore/stream")) return listen.call(this, type, hear, ...options);
    const waiting = [];
    let timer = 0, since = 0;

    const deliver = () => {
      clearTimeout(timer);
      for (const message of waiting.splice(0)) hear.call(this, message);
    };
    listen.call(this, "close", deliver);  // before Streamlit's own: what comes after the end it no longer takes
    return listen.call(this, type, message => {
      if (!waiting.length) since = performance.now();
      waiting.push(message);
      clearTimeout(timer);
      const isEmpty = !document.querySelector("h1");
      const isLate = performance.now() - since > LONGEST;
      if (isEmpty || isLate || document.hidden) deliver(); // timers of a hidden page hardly run
      else timer = setTimeout(deliver, QUIET);
    }, ...options);
  };
}
