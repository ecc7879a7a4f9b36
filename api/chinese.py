"""What pydantic finds wrong with a request, in Chinese."""

from collections.abc import Mapping
from typing import Any

WORDS = {
    "missing": "缺少必填字段",
    "list_type": "应为列表",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "json_invalid": "请求体不是有效的 JSON",
    "model_attributes_type": "请求体应为 JSON 对象",
    "string_type": "应为字符串",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_unicode": "含有无效字符",
    "string_pattern_mismatch": "格式不正确",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_type": "应为布尔值",
    "bool_parsing": "应为布尔值",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "multiple_of": "应为 {multiple_of} 的倍数",
    "literal_error": "应为 {expected} 之一",
    "extra_forbidden": "未知字段",
    "value_error": "{error}",
}
UPLOAD = "Expected UploadFile"  # FastAPI's own, a mere `value_error`


def message_of(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors; a kind that has no words here is told without its reason."""
    if UPLOAD in error["msg"]:
        return "应为文件"
    return WORDS.get(error["type"], "无效的值").format_map(error.get("ctx", {}))
