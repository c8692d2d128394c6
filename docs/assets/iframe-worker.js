/* Browsers refuse workers in pages opened as files (file://). This runs the worker in a hidden frame instead, so that
   the search works without a server. Elsewhere it does nothing. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.url = String(url);
      this.queue = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      const inside = frame.contentWindow;
      inside.postMessageToOwner = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      inside.document.open();
      inside.document.write(
        "<script>var postMessage = function (data) { postMessageToOwner(data) };" +
        "var importScripts = function () { return Array.from(arguments).reduce(function (done, url) {" +
        "return done.then(function () { return new Promise(function (loaded, failed) {" +
        "var script = document.createElement('script'); script.src = new URL(url, " + JSON.stringify(this.url) + ");" +
        "script.onload = loaded; script.onerror = failed; document.body.appendChild(script) }) }) }, Promise.resolve()) };" +
        "</" + "script><body><script src='" + this.url + "'></" + "script></body>"
      );
      inside.document.close();
      frame.addEventListener("load", () => {
        this.frame = inside;
        for (const data of this.queue.splice(0)) this.deliver(data);
      });
    }
    deliver(data) {
      const event = new this.frame.MessageEvent("message", { data });
      this.frame.dispatchEvent(event);
    }
    postMessage(data) {
      if (this.frame) this.deliver(data);
      else this.queue.push(data);
    }
    terminate() {}
  };
}
