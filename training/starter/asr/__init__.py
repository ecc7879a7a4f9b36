"""The starter recogniser: a small Whisper that hears Mandarin and English as eSpeak NG says them."""
