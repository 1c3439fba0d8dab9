"""Say which switch an emitter needs when its records come without what was said."""

_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true (SPAN_ONLY where the newest names are opted into)"
# what an emitter's records contain, and what turns its content on; the first that fits is told
_SWITCHES = (
    ("openinference", "unset OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS and their finer kin"),
    ("pydantic", "set InstrumentationSettings(include_content=True)"),
    ("logfire", "set InstrumentationSettings(include_content=True)"),
    ("traceloop", "set TRACELOOP_TRACE_CONTENT=true"),
    ("opentelemetry.instrumentation.openai.v1", "set TRACELOOP_TRACE_CONTENT=true"),
    ("llm.request.type", "set TRACELOOP_TRACE_CONTENT=true"),
    ("gen_ai.", f"set {_CAPTURE}"),
    ("_binary_bytes", "record bodies as text or JSON, decoded, instead of bytes"),
    ("parentObservationId", "export the field group `io`, and leave capture_input and capture_output of @observe on"),
    ("variant_name", "leave gateway.observability on, and store inferences with their input and output"),
)


def hint_for(problem: str, record: str) -> str:
    """Return what to change at the emitter of a record whose problem is `missing_content`, or nothing."""
    if problem != "missing_content":
        return ""
    found = next((remedy for mark, remedy in _SWITCHES if mark in record), "")
    return f"what was said is missing; at the emitter, {found}" if found else ""
