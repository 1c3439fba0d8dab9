"""Make the files of this folder: real OpenAI clients, instrumented by real packages, against a server on loopback.

Run by hand, one emitter a process, in an environment that has opentelemetry-sdk, opentelemetry-exporter-otlp-proto-common,
openai and the emitter's package (opentelemetry-instrumentation-openai-v2, opentelemetry-instrumentation-openai,
openinference-instrumentation-openai, pydantic-ai-slim[openai]):

    python tests/data/otlp/emit.py EMITTER on|off FOLDER

Writes what a collector's file exporter would: one ExportTraceServiceRequest or ExportLogsServiceRequest a line.
"""

import base64
import json
import os
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
QUESTION, ANSWER = 'Capital of "Italy"?\nOne word.', "Rome – \"Roma\""
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


class Provider(BaseHTTPRequestHandler):
    """Answer chat completions: with a tool call when tools are offered and none was used, in chunks when asked."""

    count = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).count += 1
        if asked["model"] == "broken":
            self._say(400, {"error": {"message": "no such model", "type": "invalid_request_error", "code": "model"}})
        elif self.path.endswith("/embeddings"):
            vectors = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            usage = {"prompt_tokens": 3, "total_tokens": 3}
            self._say(200, {"object": "list", "data": vectors, "model": asked["model"], "usage": usage})
        elif asked.get("stream"):
            self._stream(asked)
        else:
            self._say(200, self._completion(asked))

    def _completion(self, asked: dict[str, Any]) -> dict[str, Any]:
        used = any(message["role"] == "tool" for message in asked["messages"])
        wants_tool = bool(asked.get("tools")) and not used
        message = {"role": "assistant", "content": None if wants_tool else ANSWER}
        if wants_tool:
            message["tool_calls"] = [TOOL_CALL]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if wants_tool else "stop"}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        return self._head("chat.completion") | {"choices": [choice], "usage": usage}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.count}", "object": kind, "created": 1767261600, "model": "small-2026"}

    def _stream(self, asked: dict[str, Any]) -> None:
        deltas = [{"role": "assistant", "content": ""}, {"content": "Ro"}, {"content": "me"}]
        chunks = [
            self._head("chat.completion.chunk") | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
            for delta in deltas
        ]
        chunks.append(
            self._head("chat.completion.chunk") | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        )
        if (asked.get("stream_options") or {}).get("include_usage"):
            usage = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13}
            chunks.append(self._head("chat.completion.chunk") | {"choices": [], "usage": usage})
        body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self._send(200, "text/event-stream", body.encode())

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        del words


def collected(message: Any) -> str:
    """Return a request as the collector writes it: ids in hex, enums as numbers, one line."""
    from google.protobuf.json_format import MessageToDict

    def hexed(value: Any) -> Any:
        if isinstance(value, list):
            return [hexed(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: base64.b64decode(item).hex() if key in ("traceId", "spanId", "parentSpanId") else hexed(item)
            for key, item in value.items()
        }

    return json.dumps(hexed(MessageToDict(message, use_integers_for_enums=True)), ensure_ascii=False)


def drive(base_url: str) -> None:
    """Make the calls: plain, with a tool and its result, streamed, refused, an embedding."""
    from openai import BadRequestError, OpenAI

    client = OpenAI(base_url=base_url, api_key="none", max_retries=0)
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    client.chat.completions.create(model="small", messages=messages, temperature=0.5, user="ann")
    asked: list[Any] = [{"role": "user", "content": "Weather in Rome?"}]
    reply = client.chat.completions.create(model="small", messages=asked, tools=TOOLS)
    called = reply.choices[0].message.model_dump(exclude_none=True)
    asked += [called, {"role": "tool", "tool_call_id": "call_1", "content": '{"sky": "clear"}'}]
    client.chat.completions.create(model="small", messages=asked, tools=TOOLS)
    streamed = client.chat.completions.create(
        model="small", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for _chunk in streamed:
        pass
    try:
        client.chat.completions.create(model="broken", messages=messages)
    except BadRequestError:
        pass
    client.embeddings.create(model="embedder", input="a text", encoding_format="float")


def openai_v2(is_on: bool, base_url: str) -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = str(is_on).lower()
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    drive(base_url)


def openai_v2_latest(is_on: bool, base_url: str) -> None:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_AND_EVENT" if is_on else "NO_CONTENT"
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    drive(base_url)


def openllmetry(is_on: bool, base_url: str) -> None:
    os.environ["TRACELOOP_TRACE_CONTENT"] = str(is_on).lower()
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    drive(base_url)


def openllmetry_indexed(is_on: bool, base_url: str) -> None:
    openllmetry(is_on, base_url)  # releases up to 0.47 or so write gen_ai.prompt.0.content


def openinference(is_on: bool, base_url: str) -> None:
    os.environ["OPENINFERENCE_HIDE_INPUTS"] = os.environ["OPENINFERENCE_HIDE_OUTPUTS"] = str(not is_on).lower()
    from openinference.instrumentation import using_attributes
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    with using_attributes(session_id="s-1", user_id="ann"):
        drive(base_url)


def pydantic_ai(is_on: bool, base_url: str) -> None:
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    Agent.instrument_all(InstrumentationSettings(include_content=is_on))
    provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0))
    agent = Agent(OpenAIChatModel("small", provider=provider), name="concierge", system_prompt="Be brief.")

    @agent.tool_plain
    def weather(city: str) -> str:
        return f"clear in {city}"

    agent.run_sync("Weather in Rome?")


EMITTERS: dict[str, Callable[[bool, str], None]] = {
    emitter.__name__: emitter for emitter in (openai_v2, openai_v2_latest, openllmetry, openllmetry_indexed, openinference, pydantic_ai)
}


def main(name: str, is_on: bool, folder: Path) -> None:
    """Run one emitter and write its spans and its log records."""
    from opentelemetry import trace
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
    resource = Resource({"service.name": "shop"})
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    trace.set_tracer_provider(tracers)
    set_logger_provider(loggers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    EMITTERS[name](is_on, f"http://127.0.0.1:{server.server_port}/v1")
    lines = [collected(encode_spans([span])) for span in spans.get_finished_spans()]
    if logs.get_finished_logs():
        lines += [collected(encode_logs(logs.get_finished_logs()))]
    (folder / f"{name}_{'on' if is_on else 'off'}.jsonl").write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "on", Path(sys.argv[3]))
