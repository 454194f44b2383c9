"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const minutes = data.starts.length;
  const seconds = minutes * 60;
  const hours = Math.ceil(minutes / 60);
  const most = data.starts.reduce((a, b) => Math.max(a, b), 0);
  const plural = (count, word) => count.toLocaleString("en") + " " + word + (count === 1 ? "" : "s");
  const two = (number) => String(number).padStart(2, "0");
  const short = (day) => day.split(" ").slice(0, 2).join(" ");
  const hourAt = (minute) => data.hours[Math.floor(minute / 60)];
  const time = (minute) => two(hourAt(minute)[1]) + ":" + two(minute % 60);
  const clock = (minute) => hourAt(minute)[0] + " " + time(minute);

  // A canvas as sharp as the screen; what is drawn is in CSS pixels.
  const prepare = (canvas, height) => {
    const ratio = window.devicePixelRatio || 1;
    const style = getComputedStyle(canvas);
    const width = canvas.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    return [pen, width];
  };

  // Five shades, each a multiple of the one before it, so that few and many are both seen.
  const steps = [];
  for (let shade = 1; shade <= 5 && most > 0; shade++) {
    const upTo = Math.max(shade, Math.round(Math.pow(most, shade / 5)));
    if (steps.length === 0 || steps[steps.length - 1] < Math.min(upTo, most)) steps.push(Math.min(upTo, most));
  }
  const shadeOf = (count) => {
    const step = steps.findIndex((upTo) => count <= upTo);
    return count === 0 ? "empty" : "heat-" + Math.min(5, step + 1 + (5 - steps.length));
  };
  const legend = () => {
    const entries = [["empty", "none"]];
    steps.forEach((upTo, index) => {
      const from = index === 0 ? 1 : steps[index - 1] + 1;
      const range = from === upTo ? String(upTo) : from.toLocaleString("en") + "–" + upTo.toLocaleString("en");
      entries.push([shadeOf(upTo), range]);
    });
    $("legend").replaceChildren(...entries.map(([shade, text]) => {
      const entry = document.createElement("span");
      const swatch = document.createElement("i");
      swatch.style.background = colour(shade);
      entry.append(swatch, text + (shade === "empty" ? "" : " a minute"));
      return entry;
    }));
  };

  const map = $("heat-map");
  const label = 90, top = 18;
  let cell = [10, 16], chosen = null;
  const drawMap = () => {
    const rowHeight = hours > 48 ? 6 : 17;
    const height = top + hours * rowHeight;
    map.style.height = height + "px";
    const [pen, width] = prepare(map, height);
    cell = [(width - label) / 60, rowHeight];
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.fillStyle = colour("quiet");
    for (let minute = 0; minute < 60; minute += 10) pen.fillText(":" + two(minute), label + minute * cell[0], 8);
    let day = null;
    for (let row = 0; row < hours; row++) {
      const [name, hour] = data.hours[row];
      const y = top + row * rowHeight;
      pen.fillStyle = colour("quiet");
      const middle = y + rowHeight / 2;
      if (name !== day) { pen.font = "600 11px system-ui, sans-serif"; pen.fillText(short(name), 0, Math.max(middle, y + 5)); }
      if (rowHeight > 10 || (hour % 6 === 0 && name === day)) { pen.font = "11px system-ui, sans-serif"; pen.fillText(two(hour) + ":00", 52, middle); }
      day = name;
      for (let column = 0; column < 60 && row * 60 + column < minutes; column++) {
        pen.fillStyle = colour_of[shadeOf(data.starts[row * 60 + column])];
        const gap = rowHeight > 10 ? 1 : 0.5;
        pen.fillRect(label + column * cell[0], y, cell[0] - (cell[0] > 5 ? 1 : 0.5), rowHeight - gap);
      }
    }
    if (chosen !== null) {
      // A light line around a dark one, to be seen on every shade.
      for (const [line, width] of [[colour("card"), 4], [colour("late"), 2]]) {
        pen.strokeStyle = line;
        pen.lineWidth = width;
        pen.strokeRect(label + (chosen % 60) * cell[0] - 1, top + Math.floor(chosen / 60) * rowHeight - 1, cell[0] + 1, rowHeight + 1);
      }
    }
  };
  const colour_of = {};
  const readColours = () => {
    const shades = ["empty", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"];
    for (const name of [...shades, "run", ...Object.keys(data.kinds)]) colour_of[name] = colour(name);
  };

  const startsIn = (member, from, to) => {
    let count = 0;
    for (let at = 0; at < member.starts.length; at += 3) {
      const [first, step, many] = member.starts.slice(at, at + 3);
      const before = (second) => second <= first ? 0 : step === 0 ? 1 : Math.min(many, Math.ceil((second - first) / step));
      count += before(to) - before(from);
    }
    return count;
  };
  const choose = (minute) => {
    if (minute === null || minute < 0 || minute >= minutes) return;
    chosen = minute;
    const who = data.members.filter((member) => startsIn(member, minute * 60, minute * 60 + 60) > 0).map((member) => member.name);
    const shown = who.slice(0, 6).join(", ") + (who.length > 6 ? " and " + (who.length - 6).toLocaleString("en") + " more" : "");
    $("minute").textContent = clock(minute) + ": " + plural(data.starts[minute], "start") + ", " +
      data.running[minute].toLocaleString("en") + " running at once" + (shown ? ". " + shown : "");
    drawMap();
  };
  const minuteAt = (event) => {
    const box = map.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - label) / cell[0]);
    const row = Math.floor((event.clientY - box.top - top) / cell[1]);
    return column < 0 || column > 59 || row < 0 || row >= hours ? null : row * 60 + column;
  };
  map.addEventListener("pointermove", (event) => { const minute = minuteAt(event); if (minute !== chosen) choose(minute); });
  map.addEventListener("click", (event) => {
    const minute = minuteAt(event);
    if (minute === null) return;
    choose(minute);
    look(Math.floor(minute / 60) * 3600, Math.floor(minute / 60) * 3600 + 3600);
  });
  map.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -60, ArrowDown: 60 }[event.key];
    if (move) { event.preventDefault(); choose(chosen === null ? 0 : chosen + move); }
    else if (event.key === "Enter" && chosen !== null) look(Math.floor(chosen / 60) * 3600, Math.floor(chosen / 60) * 3600 + 3600);
  });

  // The timeline: only the rows in sight are there.
  const list = $("list"), rows = $("rows"), rowHeight = 44;
  let from = 0, to = seconds, members = [];
  const drawAxis = () => {
    const [pen, width] = prepare($("axis"), 24);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const room = Math.max(2, Math.floor(width / 90));
    const step = [300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800].find((size) => (to - from) / size <= room) || 604800;
    let free = 0;
    for (let second = from; second < to; second += step) {
      const minute = second / 60;
      const day = second === from || step >= 86400 || hourAt(minute)[1] === 0 ? short(hourAt(minute)[0]) + " " : "";
      const text = step >= 86400 ? day : day + time(minute);
      const x = (second - from) / (to - from) * width;
      pen.fillStyle = colour("line");
      pen.fillRect(x, 17, 1, 7);
      if (x < free) continue;
      pen.fillStyle = colour("quiet");
      pen.fillText(text, x, 9);
      free = x + pen.measureText(text).width + 12;
    }
  };
  const strip = (canvas, member) => {
    const [pen, width] = prepare(canvas, 14);
    const x = (second) => (second - from) / (to - from) * width;
    pen.fillStyle = colour_of.empty;
    pen.fillRect(0, 0, width, 14);
    pen.fillStyle = colour_of.run;
    const long = Math.max(1.5, member.seconds / (to - from) * width);
    for (let at = 0; at < member.starts.length; at += 3) {
      const [first, step, many] = member.starts.slice(at, at + 3);
      // What is closer together than half a pixel is one bar.
      if (step > 0 && step / (to - from) * width < 0.5) {
        pen.fillRect(x(first), 0, Math.max(1.5, x(first + step * (many - 1)) - x(first)), 14);
        continue;
      }
      const skip = step > 0 ? Math.max(0, Math.floor((from - member.seconds - first) / step)) : 0;
      for (let index = skip; index < many; index++) {
        const second = first + step * index;
        if (second > to) break;
        if (second + member.seconds < from) continue;
        pen.fillRect(x(second), 0, long, 14);
      }
    }
    for (const [second, name] of member.events) {
      if (second < from || second > to) continue;
      pen.fillStyle = colour_of[name];
      pen.fillRect(x(second) - 1, 0, 3, 14);
    }
  };
  // What a pointer on a strip is told: what did not go by itself near it, or the time.
  const tell = (canvas, member, event) => {
    const scale = (to - from) / canvas.clientWidth;
    const second = from + event.offsetX * scale;
    const near = member.events.filter(([at]) => Math.abs(at - second) <= 3 * scale);
    const at = near.length > 0 ? near[0][0] : second;
    const time = clock(Math.min(minutes - 1, Math.max(0, Math.floor(at / 60))));
    canvas.title = [time, ...new Set(near.map(([, name]) => data.kinds[name]))].join(": ");
  };
  const draw = () => {
    rows.style.height = members.length * rowHeight + "px";
    const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - 2);
    const last = Math.min(members.length, first + Math.ceil(list.clientHeight / rowHeight) + 5);
    const shown = [];
    for (let index = first; index < last; index++) {
      const member = members[index];
      const row = document.createElement("div");
      row.className = "row";
      row.style.top = index * rowHeight + "px";
      const title = document.createElement("div");
      for (const [kind, text] of [["b", member.name], ["said", member.said ? member.said + " (" + member.schedule + ")" : member.schedule], ["many", plural(member.count, "start")]]) {
        const word = document.createElement(kind === "b" ? "b" : "span");
        if (kind !== "b") word.className = kind;
        word.textContent = text;
        word.title = text;
        title.append(word);
      }
      const canvas = document.createElement("canvas");
      const rough = member.events.length > 0 ? ", " + plural(member.events.length, "thing") + " that did not go by itself" : "";
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", plural(member.count, "start") + rough);
      canvas.addEventListener("pointermove", (event) => tell(canvas, member, event));
      row.append(title, canvas);
      shown.push([row, canvas, member]);
    }
    rows.replaceChildren(...shown.map(([row]) => row));
    shown.forEach(([, canvas, member]) => strip(canvas, member));
  };
  const orders = {
    name: (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
    most: (a, b) => b.count - a.count || orders.name(a, b),
    long: (a, b) => b.seconds - a.seconds || orders.name(a, b),
    rough: (a, b) => b.events.length - a.events.length || orders.name(a, b),
  };
  const arrange = () => {
    const wanted = $("search").value.trim().toLowerCase();
    members = data.members.filter((member) => (member.name + " " + member.schedule + " " + member.said).toLowerCase().includes(wanted));
    members.sort(orders[$("order").value]);
    $("count").textContent = wanted ? plural(members.length, "CronJob") + " of " + data.members.length.toLocaleString("en") : plural(members.length, "CronJob");
    list.scrollTop = 0;
    draw();
  };
  const look = (begin, end) => {
    [from, to] = [begin, Math.min(end, seconds)];
    const isWhole = from === 0 && to === seconds;
    $("whole").hidden = isWhole;
    $("stretch").textContent = isWhole ? "" : clock(from / 60) + " to " + time(Math.min(minutes, to / 60) - 1);
    drawAxis();
    draw();
  };
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); }
  });
  $("search").addEventListener("input", arrange);
  $("order").addEventListener("change", arrange);
  $("whole").addEventListener("click", () => look(0, seconds));
  const redraw = () => { readColours(); legend(); drawMap(); drawAxis(); draw(); };
  window.addEventListener("resize", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  arrange();
  redraw();
  if (most > 0) choose(data.starts.indexOf(most));
  document.documentElement.dataset.drawn = members.length;
})();
